"""Who somebody is and what they may: every page asks, so it is one statement."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import connection

_FIELDS: Final = [field.attname for field in User._meta.concrete_fields]
_READ: Final = f"""
    SELECT {", ".join(_FIELDS)}, ARRAY(
        SELECT app_label || '.' || codename
        FROM auth_permission JOIN django_content_type ON django_content_type.id = content_type_id
        WHERE auth_permission.id IN (
            SELECT permission_id FROM auth_user_user_permissions WHERE user_id = auth_user.id
            UNION ALL
            SELECT permission_id FROM auth_group_permissions JOIN auth_user_groups USING (group_id)
            WHERE user_id = auth_user.id
        )
    )
    FROM auth_user WHERE id = %s AND is_active
"""  # noqa: S608  (the names of Django's own columns)


class OfficeBackend(ModelBackend):
    """Logs in as Django's own does; a user who is in comes with their permissions, instead of two questions later."""

    def get_user(self, user_id: int) -> User | None:
        """The user of a session; None when there is none or they were locked out."""
        with connection.cursor() as cursor:
            cursor.execute(_READ, [user_id])
            found = cursor.fetchone()
        if found is None:
            return None
        *values, permissions = found
        user = User.from_db(connection.alias, _FIELDS, values)
        if not user.is_superuser:
            # Where ModelBackend looks before it asks.
            user._perm_cache = set(permissions)  # type: ignore[attr-defined]
        return user
