"""Fills an empty, migrated database, quicker than the product would, and leaves it as the migrations made it.

Orders and their search texts come by COPY, what hangs on them by INSERT ... SELECT. Meanwhile the indexes are away
and no trigger fires; afterwards the indexes are built from their own definitions and the counts are written.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from django.db.models import Model
from psycopg import sql
from psycopg.types.json import Jsonb

from cagolab.launcher.errors import LauncherError
from gateways.vocabulary import MethodKind
from orders.models import Order, OrderLine, OrderSearch
from payments.models import Operation, Payment
from tests.bench.lists import rows

OPERATIONS_PER_PAYMENT = 3
LINES_PER_ORDER = 2
# Vacuums in a row, a second apart, until all rows are known to be seen by all.
VACUUMS = 60
_FILLED = ("orders_order", "orders_ordersearch", "orders_orderline", "payments_payment", "payments_operation")

Say = Callable[[str], None]


class SchemaChanged(Exception):
    """The database is not what the migrations made; the bench would measure something else."""


def fill(url: str, *, count: int, seed: int, now: datetime, say: Say) -> None:
    """Make `count` orders with as many payments and three operations each. Raises SchemaChanged."""
    with psycopg.connect(url) as connection:
        before = _schema(connection)
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET synchronous_commit = off")
        with _without_indexes(connection, say):
            methods = _payment_methods(connection)
            say("copying orders and search texts")
            _copy(connection, count=count, seed=seed, now=now, methods=methods)
            say("lines, payments, operations")
            _insert_lines(connection)
            _insert_payments(connection)
            _insert_operations(connection)
            _insert_counts(connection)
            say("building the indexes")
        for table in _FILLED[2:]:
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
        connection.execute(
            "SELECT setval(pg_get_serial_sequence('orders_order', 'id'), (SELECT max(id) FROM orders_order))"
        )
        connection.execute("SET session_replication_role = origin")
        changed = set(before) ^ set(_schema(connection))
        if changed:
            raise SchemaChanged(f"not what the migrations made: {sorted(changed)}")
    say("vacuum and analyze")
    with psycopg.connect(url, autocommit=True) as connection:
        _vacuum(connection)
        connection.execute("CHECKPOINT")


def _vacuum(connection: psycopg.Connection) -> None:
    """Until PostgreSQL knows that everybody sees the rows. As long as a transaction that began before them is under way,
    an autovacuum's ANALYZE for one, it does not say so of their pages, and reads the rows beside their indexes."""
    for _ in range(VACUUMS):
        connection.execute("VACUUM (ANALYZE)")
        row = connection.execute(
            "SELECT sum(relallvisible) > 0.99 * sum(relpages) FROM pg_class WHERE oid = ANY(%s::regclass[])",
            [list(_FILLED)],
        ).fetchone()
        if row == (True,):
            return
        time.sleep(1)
    raise LauncherError("a transaction that does not end keeps the rows from being seen by all")


def _copy(
    connection: psycopg.Connection, *, count: int, seed: int, now: datetime, methods: dict[str, int]
) -> None:
    found = rows.copy_rows(rows.orders(count, seed=seed, now=now, methods=methods))
    texts: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        with cursor.copy(_copy_into(Order)) as copy:
            for order, text in found:
                copy.write_row(order)
                texts.append(text)
        with cursor.copy(_copy_into(OrderSearch)) as copy:
            for text in texts:
                copy.write_row(text)


def _copy_into(model: type[Order] | type[OrderSearch]) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, rows.copy_columns(model)))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(model._meta.db_table), columns)


def _payment_methods(connection: psycopg.Connection) -> dict[str, int]:
    methods = {}
    for place, kind in enumerate(MethodKind):
        row = connection.execute(
            "INSERT INTO orders_paymentmethod (name, kind, account, charge, sort_no)"
            " VALUES (%s, %s, 'gmo', 0, %s) RETURNING id",
            [kind.value, kind.value, place],
        ).fetchone()
        assert row is not None
        methods[kind.value] = row[0]
    return methods


def _insert_lines(connection: psycopg.Connection) -> None:
    _insert_select(
        connection,
        OrderLine,
        f"orders_order AS o, generate_series(1, {LINES_PER_ORDER}) AS n",
        order_id="o.id",
        position="n",
        name="'商品' || (o.id * 7 + n) % 500",
        code="'P' || (o.id * 7 + n) % 500",
        unit_price=f"o.total / {LINES_PER_ORDER}",
    )


def _insert_payments(connection: psycopg.Connection) -> None:
    _insert_select(
        connection,
        Payment,
        "orders_order AS o, payments_gatewayaccount AS a WHERE a.code = 'gmo'",
        id="o.id",
        order_id="o.id",
        account_id="a.id",
        kind="o.payment_kind",
        status="o.payment_status",
        amount="o.payment_amount",
        provider_order_id="o.number || '-1'",
        is_open="o.payment_is_open",
        authorized_at="o.ordered_at",
        captured_at="o.paid_at",
        references="""'{"approve": "0378171", "forward": "2a99662"}'""",
        created_at="o.ordered_at",
        updated_at="o.updated_at",
    )


def _insert_operations(connection: psycopg.Connection) -> None:
    """An authorization, an inquiry, and what the payment has come to; the last is open where the payment is."""
    _insert_select(
        connection,
        Operation,
        f"payments_payment AS p, generate_series(1, {OPERATIONS_PER_PAYMENT}) AS n",
        payment_id="p.id",
        action="(ARRAY['authorize', 'inquire', 'capture'])[n]",
        state=f"CASE WHEN p.is_open AND n = {OPERATIONS_PER_PAYMENT} THEN 'unconfirmed' ELSE 'succeeded' END",
        key="md5(p.id || '-' || n)::uuid",
        plan="jsonb_build_array(jsonb_build_object('action', (ARRAY['authorize', 'inquire', 'capture'])[n],"
        " 'result', p.status, 'amount', p.amount, 'cancel_type', ''))",
        status_before="p.status",
        amount_before="p.amount",
        amount="p.amount",
        source="'order_edit'",
        actor_name="'会計 花子'",
        started_at="p.created_at + n * interval '1 hour'",
        timeout_at="p.created_at + n * interval '1 hour' + interval '3 minutes'",
        settled_at=f"CASE WHEN p.is_open AND n = {OPERATIONS_PER_PAYMENT} THEN NULL"
        " ELSE p.created_at + n * interval '1 hour' END",
    )


def _insert_counts(connection: psycopg.Connection) -> None:
    """What the triggers would have counted."""
    for dimension, column in (("status", "status::text"), ("payment_status", "payment_status")):
        connection.execute(
            f"INSERT INTO orders_foldedcount (dimension, value, count)"
            f" SELECT '{dimension}', {column}, count(*) FROM orders_order WHERE {column} <> '' GROUP BY {column}"
        )


def _insert_select(
    connection: psycopg.Connection, model: type[Model], source: str, /, **expressions: str
) -> None:
    """Fill a table; columns that are not named get the model's default."""
    columns, values = [], []
    for field in model._meta.concrete_fields:
        if field.attname == "id" and "id" not in expressions:
            continue
        columns.append(sql.Identifier(field.attname))
        default = field.get_default()
        if isinstance(default, dict | list):
            default = Jsonb(default)
        given = expressions.get(field.attname)
        values.append(sql.SQL(given) if given else sql.Literal(default))
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
            sql.Identifier(model._meta.db_table),
            sql.SQL(", ").join(columns),
            sql.SQL(", ").join(values),
            sql.SQL(source),
        )
    )


@contextmanager
def _without_indexes(connection: psycopg.Connection, say: Say) -> Iterator[None]:
    """Drop constraints and indexes of the tables to fill; build them again from their definitions.

    Partial indexes over lists of words stay: PostgreSQL does not write their conditions as it read them.
    """
    constraints = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype FROM pg_constraint"
        " WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('p', 'u', 'f') ORDER BY contype = 'f', conname",
        [list(_FILLED)],
    ).fetchall()
    foreign = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype FROM pg_constraint"
        " WHERE confrelid::regclass::text = ANY(%s) AND NOT conrelid::regclass::text = ANY(%s) ORDER BY conname",
        [list(_FILLED), list(_FILLED)],
    ).fetchall()
    for table, name, *_ in foreign + [row for row in constraints if row[3] == "f"]:
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    kept = [row for row in constraints if row[3] != "f"]
    for table, name, *_ in kept:
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s)"
        " AND indexdef NOT LIKE '%%ARRAY[%%' ORDER BY indexname",
        [list(_FILLED)],
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    yield
    for table, name, definition, _ in kept:
        connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
    for name, definition in indexes:
        say(f"  {name}")
        connection.execute(definition)
    for table, name, definition, _ in [row for row in constraints if row[3] == "f"] + foreign:
        connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


def _schema(connection: psycopg.Connection) -> list[Any]:
    """Indexes and constraints, with names and definitions."""
    return connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
    ).fetchall()


def sample(url: str, *, seed: int, count: int) -> list[int]:
    """Ids of some orders, the same for the same seed."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT max(id) FROM orders_order").fetchone()
    assert row is not None
    return random.Random(seed).sample(range(1, row[0] + 1), count)
