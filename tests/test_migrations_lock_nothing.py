"""A new version must not stop the shop: no migration may lock a table of millions of rows while it reads it all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

# The last migration of each app before there was data. What comes later meets full tables.
BEFORE_ANY_DATA = {
    "cagolab": "0002_append_only_and_dates",
    "orders": "0004_daily_sales",
    "payments": "0003_reconciliation",
}
# Tables that grow with the orders.
BIG = {
    ("orders", name)
    for name in (
        "customer",
        "order",
        "orderline",
        "ordersearch",
        "orderchange",
        "stockentry",
        "pointentry",
        "sentmail",
    )
} | {("payments", name) for name in ("payment", "operation", "call")}
_BIG_TABLES = {f"{app}_{model}" for app, model in BIG}
_SQL_INDEX = re.compile(
    r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)[^;]*?\sON\s+(?:ONLY\s+)?\"?(\w+)", re.IGNORECASE
)
_SQL_CONSTRAINT = re.compile(
    r"ALTER\s+TABLE\s+(?:ONLY\s+)?\"?(\w+)\"?\s+ADD\s+CONSTRAINT(?![^;]*NOT\s+VALID)", re.IGNORECASE
)


def locking(migration: Migration) -> list[str]:
    """What the migration would lock for how long it reads a big table, each with what to write instead."""
    name = f"{migration.app_label}.{migration.name}"
    return [
        f"{name} {what} on {table}, and nobody can write there until every row was read: use {instead}."
        for table, what, instead in _locks(migration.app_label, migration.operations)
    ]


def _locks(app: str, steps: Sequence[Operation]) -> Iterator[tuple[str, str, str]]:
    for step in steps:
        if isinstance(step, operations.SeparateDatabaseAndState):
            yield from _locks(app, step.database_operations)
        elif isinstance(step, operations.RunSQL):
            yield from _locks_of_sql(str(step.sql))
        elif (app, getattr(step, "model_name", "").lower()) in BIG:
            yield from _locks_of(f"{app}_{step.model_name.lower()}", step)  # type: ignore[attr-defined]


def _locks_of(table: str, step: Operation) -> Iterator[tuple[str, str, str]]:
    concurrently = "AddIndexConcurrently in a migration with atomic = False"
    not_valid = "AddConstraintNotValid, and ValidateConstraint in the next migration"
    if isinstance(step, operations.AddIndex) and not isinstance(step, AddIndexConcurrently):
        yield table, f"creates the index {step.index.name}", concurrently
    if isinstance(step, operations.AddConstraint) and not isinstance(step, AddConstraintNotValid):
        unique = isinstance(step.constraint, models.UniqueConstraint)
        instead = "CREATE UNIQUE INDEX CONCURRENTLY by RunSQL" if unique else not_valid
        yield table, f"adds the constraint {step.constraint.name}", instead
    if isinstance(step, operations.AddField | operations.AlterField):
        field: Any = step.field
        if field.unique or field.db_index:
            yield table, f"indexes the column {step.name}", f"db_index=False and {concurrently}"
        if field.remote_field and field.db_constraint:
            yield table, f"adds the foreign key {step.name}", f"db_constraint=False and {not_valid}"


def _locks_of_sql(sql: str) -> Iterator[tuple[str, str, str]]:
    for table in _SQL_INDEX.findall(sql):
        if table in _BIG_TABLES:
            yield table, "creates an index", "CREATE INDEX CONCURRENTLY in a migration with atomic = False"
    for table in _SQL_CONSTRAINT.findall(sql):
        if table in _BIG_TABLES:
            yield table, "adds a constraint", "NOT VALID, and VALIDATE CONSTRAINT in the next migration"


def test_no_migration_locks_a_big_table() -> None:
    found = MigrationLoader(None).disk_migrations
    late = [found[key] for key in sorted(found) if key[1] > BEFORE_ANY_DATA.get(key[0], "9999")]
    assert late, "there are none: are the names in BEFORE_ANY_DATA right?"
    assert [sentence for migration in late for sentence in locking(migration)] == []


ORDER_INDEX = models.Index(fields=["memo"], name="order_memo")
ORDER_CHECK = models.CheckConstraint(condition=models.Q(total__gte=0), name="order_total_not_negative")


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (operations.AddIndex("order", ORDER_INDEX), "creates the index order_memo on orders_order"),
        (operations.AddConstraint("Order", ORDER_CHECK), "adds the constraint order_total_not_negative"),
        (
            operations.AddField("order", "code", models.CharField(max_length=9, db_index=True)),
            "the column code",
        ),
        (
            operations.AddField("orderline", "shop", models.ForeignKey("orders.Order", models.CASCADE)),
            "adds the foreign key shop on orders_orderline",
        ),
        (
            operations.RunSQL("CREATE UNIQUE INDEX order_memo ON orders_order (memo)"),
            "use CREATE INDEX CONCURRENTLY in a migration with atomic = False",
        ),
        (
            operations.RunSQL("ALTER TABLE orders_order ADD CONSTRAINT positive CHECK (total >= 0);"),
            "use NOT VALID, and VALIDATE CONSTRAINT in the next migration",
        ),
        (
            operations.SeparateDatabaseAndState([operations.AddIndex("order", ORDER_INDEX)], []),
            "creates the index order_memo",
        ),
    ],
)
def test_a_migration_that_locks_is_told_in_a_sentence(step: Operation, words: str) -> None:
    sentences = locking(_migration(step))
    assert words in " ".join(sentences)
    assert all(sentence.startswith("orders.0099_new ") for sentence in sentences)


@pytest.mark.parametrize(
    "step",
    [
        AddIndexConcurrently("order", ORDER_INDEX),
        AddConstraintNotValid("order", ORDER_CHECK),
        operations.AddIndex("product", ORDER_INDEX),
        operations.AddField("order", "note", models.CharField(max_length=9, default="")),
        operations.RunSQL("CREATE INDEX CONCURRENTLY order_memo ON orders_order (memo)"),
        operations.RunSQL("ALTER TABLE orders_order ADD CONSTRAINT p CHECK (total >= 0) NOT VALID"),
    ],
)
def test_what_locks_nothing_passes(step: Operation) -> None:
    assert locking(_migration(step)) == []


def _migration(step: Operation) -> Migration:
    migration = Migration("0099_new", "orders")
    migration.operations = [step]  # type: ignore[misc]
    return migration
