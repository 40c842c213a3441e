"""How the tables become empty again after a test that commits.

Django truncates every table, then installs permissions and roles anew: a tenth of a second of processor time, six
hundred times. Here only the rows that are there go, and what a migration installs stays unless a test has changed it.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase

# Filled by migrations and by post_migrate, alike for every test.
INSTALLED = ("auth_group", "auth_group_permissions", "auth_permission", "django_content_type")
# Deleted rows keep their place; a table that has grown beyond so much is truncated, with all others.
DELETED_UP_TO_BYTES = 256 * 1024

_MAY_DELETE_WITHOUT_TRIGGERS = """
    SELECT rolsuper OR current_setting('server_version_num')::int >= 150000
        AND has_parameter_privilege('session_replication_role', 'SET')
    FROM pg_roles WHERE rolname = current_user
"""


def delete_written_rows_only(patch: pytest.MonkeyPatch) -> None:
    """From here on tests that commit leave empty tables behind at a twentieth of the price.

    Needs the right to delete without triggers (a superuser's); without it Django goes on truncating.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MAY_DELETE_WITHOUT_TRIGGERS)
        if cursor.fetchone() != (True,):
            return
        installed = _installed(cursor)
    truncate_all = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # Django's own name for it

    def empty(test: TransactionTestCase) -> None:
        nonlocal installed
        if not _deleted(installed):
            truncate_all(test)
            with connection.cursor() as cursor:
                installed = _installed(cursor)

    patch.setattr(TransactionTestCase, "_fixture_teardown", empty)


def _deleted(installed: tuple[Any, ...]) -> bool:
    """False where more than a few rows have to go, or where the roles are no longer what was installed."""
    tables = [table for table in connection.introspection.django_table_names() if table not in INSTALLED]
    names = [connection.ops.quote_name(table) for table in tables]
    with transaction.atomic(), connection.cursor() as cursor:
        # Waits, as TRUNCATE does, for whoever has not committed yet.
        cursor.execute(f"LOCK TABLE {', '.join(names)} IN SHARE ROW EXCLUSIVE MODE")
        if _installed(cursor) != installed:
            return False
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', pg_relation_size('{name}') WHERE EXISTS (SELECT FROM {name})"
                for name in names
            )
        )
        written: list[tuple[str, int]] = cursor.fetchall()
        if any(size > DELETED_UP_TO_BYTES for _name, size in written):
            return False
        # Neither triggers nor foreign keys look at what goes: all of it does.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name, _size in written:
            cursor.execute(f"DELETE FROM {name}")
    return True


def _installed(cursor: Any) -> tuple[Any, ...]:
    parts = ", ".join(
        f"(SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} AS t)" for table in INSTALLED
    )
    cursor.execute(f"SELECT {parts}")
    digests: tuple[Any, ...] = cursor.fetchone()
    return digests
