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

_CODENAMES = {permission.partition(".")[2] for permission in ROLES["管理者"]}


def install_roles(**_: Any) -> None:
    """Create the groups of ROLES and give each exactly its permissions.

    Runs after every migrate; permissions of apps that are migrated later are picked up at their turn.
    """
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.filter(codename__in=_CODENAMES).select_related("content_type")
    }
    groups = {group.name: group for group in Group.objects.prefetch_related("permissions")}
    for name, wanted in ROLES.items():
        group = groups.get(name) or Group.objects.create(name=name)
        permissions = {known[permission] for permission in wanted if permission in known}
        if set(group.permissions.all()) != permissions:
            group.permissions.set(permissions)
