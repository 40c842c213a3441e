"""Everything that the judges look at."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from django.db import connection

from payments.models import Operation, Payment
from tests.chaos.books import Books
from tests.chaos.diary import Diary
from tests.sandbox_server import GOOD_CARD, SandboxHandle
from tests.stack import Stack

# What must stand nowhere in clear, besides what is particular to one run.
SECRETS = (
    GOOD_CARD,
    "4999000000000002",
    "shoppass01",
    "sitepass01",
    "securitycode",
    "sandboxpass",
    "sandboxhashkey01",
    "0123456789abcdef0123456789abcdef01234567",
)


def secret_in(secrets: Sequence[str], text: str) -> str | None:
    """The first of them that stands in the text. A card number within a longer number is none: GMO-PG's TranID has
    twelve ones in its middle."""
    words = "|".join(
        rf"(?<!\d){secret}(?!\d)" if secret.isdigit() else re.escape(secret) for secret in secrets
    )
    found = re.search(words, text) if words else None
    return found[0] if found else None


@dataclass(kw_only=True)
class Evidence:
    """The providers' side, what people saw, and everything that the product wrote."""

    sandbox: SandboxHandle
    diary: Diary
    logs: Sequence[Path] = ()
    secrets: Sequence[str] = SECRETS
    broker: Callable[[], Iterator[tuple[str, str]]] = lambda: iter(())

    @cached_property
    def books(self) -> Books:
        """The ledgers, read once."""
        return Books.of(self.sandbox)

    @cached_property
    def payments(self) -> list[Payment]:
        """All payments."""
        return list(Payment.objects.select_related("account", "order").order_by("pk"))

    @cached_property
    def operations(self) -> dict[int, list[Operation]]:
        """All operations by payment, oldest first."""
        found: dict[int, list[Operation]] = {payment.pk: [] for payment in self.payments}
        for operation in Operation.objects.order_by("pk"):
            found[operation.payment_id].append(operation)
        return found

    def written(self) -> Iterator[tuple[str, str]]:
        """Every table, log and broker key as text."""
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT t::text FROM "{table}" AS t')
                yield f"table {table}", "\n".join(row[0] for row in cursor.fetchall())
        for log in self.logs:
            yield f"log {log.name}", log.read_text(errors="replace")
        yield from self.broker()


def of_storm(stack: Stack, diary: Diary) -> Evidence:
    """The evidence of a storm, with the keys and passes of this one."""
    with sqlite3.connect(stack.folder / "sandbox" / "sandbox.sqlite3") as sandbox:
        passes = [row[0] for row in sandbox.execute("SELECT access_pass FROM gmopg_trades")]
    keys = [stack.environment[name] for name in ("SECRET_KEY", "CREDENTIALS_KEY")]

    def broker() -> Iterator[tuple[str, str]]:
        for key in stack.redis.scan_iter():
            dumped = stack.redis.dump(key)
            yield f"broker key {key!r}", (dumped or b"").decode("latin-1")

    return Evidence(
        sandbox=stack.sandbox,
        diary=diary,
        logs=[*stack.logs.glob("*.log"), *stack.folder.glob("*.log")],
        secrets=[word for word in (*SECRETS, *keys, *passes) if word],
        broker=broker,
    )
