"""One UPDATE for many rows, each with values of its own.

Arrays go over the wire: a VALUES list would have a parameter per field, and Django's bulk_update builds a CASE
per field and row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model


def write_columns(rows: Sequence[Model], fields: Sequence[str]) -> None:
    """Write these fields of rows of one model, by primary key."""
    if rows:
        values = ((row.pk, *(getattr(row, name) for name in fields)) for row in rows)
        update_rows(type(rows[0]), fields, values)


def update_rows(
    model: type[Model], fields: Sequence[str], rows: Iterable[Sequence[Any]], *, where: str = ""
) -> set[Any]:
    """Set `fields` of many rows; each of `rows` is the primary key and the values, in the order of `fields`.

    `where` is SQL that narrows the rows down further: `old` is the row in the table, `new` the new values.
    Returns the primary keys of the rows that were written. Rows are locked in the order in which they are given.
    """
    columns, sql = _statement(model, tuple(fields), where)
    prepared: list[list[Any]] = [[] for _ in columns]
    for row in rows:
        for values, field, value in zip(prepared, columns, row, strict=True):
            values.append(field.get_db_prep_save(value, connection))
    with connection.cursor() as cursor:
        cursor.execute(sql, prepared)
        return {row[0] for row in cursor.fetchall()}


@cache
def _statement(model: type[Model], fields: tuple[str, ...], where: str) -> tuple[list[Any], str]:
    """The columns, the primary key first, and the SQL. There are few of them: every caller names its fields."""
    columns: list[Any] = [model._meta.pk, *(model._meta.get_field(name) for name in fields)]
    names = [field.column for field in columns]
    arrays = ", ".join(f"%s::{_type(field)}[]" for field in columns)
    sets = ", ".join(f'"{name}" = new."{name}"' for name in names[1:])
    listed = ", ".join(f'"{name}"' for name in names)
    sql = (
        f'UPDATE "{model._meta.db_table}" AS old SET {sets} FROM unnest({arrays}) AS new ({listed})'  # noqa: S608
        f' WHERE old."{names[0]}" = new."{names[0]}"{f" AND {where}" if where else ""}'
        f' RETURNING old."{names[0]}"'
    )
    return columns, sql


def _type(field: Any) -> str:
    """The column's type as a cast understands it (a primary key's own type has a sequence behind it)."""
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))
