"""The project as an app: roles, login, navigation, history and the commands that belong to no domain."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CagolabConfig(AppConfig):
    """Keeps the role groups equal to the table in cagolab.roles after every migrate, and logins on record."""

    name = "cagolab"

    def ready(self) -> None:
        """Install the role groups once the permissions of all apps exist; listen to logins."""
        from cagolab.audit import signals
        from cagolab.roles import install_roles

        post_migrate.connect(install_roles, dispatch_uid="cagolab.install_roles")
        signals.connect()
