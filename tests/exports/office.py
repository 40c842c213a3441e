"""Exports of small shops, written chunk by chunk under the tests' eyes."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection

from cagolab import clock
from orders.exports import files, start, writer
from orders.exports.models import Export
from orders.exports.registry import registry
from orders.selection import Selection

FOR_EVER = 3600.0


def make_user(name: str = "clerk", role: str = "受注編集") -> User:
    """A user of one role."""
    user = User.objects.create_user(name, last_name="田中", first_name="花子")
    user.groups.add(Group.objects.get(name=role))
    return user


def begin(user: User, *, kind: str = "orders", encoding: str = "utf-8-sig", **selection: Any) -> Export:
    """An export that waits: of all orders, unless `query` or `order_ids` say otherwise."""
    chosen = (
        Selection(**selection) if "order_ids" in selection else Selection(all_that_match=True, **selection)
    )
    return start.start(
        kind=registry[kind],
        encoding=encoding,
        selection=chosen,
        author=start.Author(user=user, name="田中 花子"),
        back="/orders/",
        now=clock.now(),
    )


def write(export: Export) -> Export:
    """Write it to its end."""
    assert writer.work(seconds=FOR_EVER)
    export.refresh_from_db()
    return export


def content(export: Export) -> bytes:
    return files.path_of(export).read_bytes()


def rows(export: Export) -> list[dict[str, str]]:
    """The file's lines by the names of its columns."""
    text = content(export).decode(export.encoding)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def let_its_worker_die(export: Export) -> None:
    """Let the lease look as old as after a worker's death."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_export SET state = 'running', claimed_at = clock_timestamp() - interval '1 hour'"
            " WHERE id = %s",
            [export.pk],
        )
    export.refresh_from_db()
