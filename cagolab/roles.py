"""Who may do what (requirement X-6): four roles, each holding all that the one before it may do."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission

VIEW = "orders.view_order"
EDIT = "orders.change_order"
EXPORT = "orders.export_orders"
MOVE_MONEY = "payments.move_money"
ADMINISTER = "payments.administer"

ROLES: dict[str, tuple[str, ...]] = {
    "閲覧": (VIEW,),
    "受注編集": (VIEW, EDIT, EXPORT),
    "決済操作": (VIEW, EDIT, EXPORT, MOVE_MONEY),
    "管理者": (VIEW, EDIT, EXPORT, MOVE_MONEY, ADMINISTER),
}


def install_roles(**_: Any) -> None:
    """Create the groups of ROLES and give each exactly its permissions.

    Runs after every migrate; permissions of apps that are migrated later are picked up at their turn.
    """
    for name, wanted in ROLES.items():
        group, _created = Group.objects.get_or_create(name=name)
        permissions = [
            Permission.objects.filter(content_type__app_label=app, codename=codename).first()
            for app, codename in (permission.split(".") for permission in wanted)
        ]
        group.permissions.set([permission for permission in permissions if permission])
