"""操作履歴: who changed which field of an order, when and from where (X-6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from orders.models import OrderChange

MAX_SOURCE_CHARACTERS = 40


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who changes an order, and from where. `user` is None for customers and jobs."""

    name: str
    source: str
    user: User | None = None
    ip: str | None = None


@dataclass(frozen=True)
class FieldChange:
    """One field, in the words of the screen."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One changed field of one order. `version` is the one that the change made, 0 for none."""

    order_id: int
    change: FieldChange
    author: Author
    version: int = 0


def record(
    *,
    order_id: int,
    field: str,
    old: str,
    new: str,
    actor: User | None,
    actor_name: str,
    source: str,
    ip: str | None,
    now: datetime,
) -> None:
    """Write one entry. It can never be changed or deleted."""
    author = Author(name=actor_name, source=source, user=actor, ip=ip)
    record_all(order_id=order_id, changes=[FieldChange(field, old, new)], author=author, version=0, now=now)


def record_all(
    *, order_id: int, changes: Iterable[FieldChange], author: Author, version: int, now: datetime
) -> None:
    """Write one entry per changed field, in one statement. `version` is the one that they made."""
    record_many(
        [Entry(order_id=order_id, change=change, author=author, version=version) for change in changes],
        now=now,
    )


def record_many(entries: Sequence[Entry], *, now: datetime) -> None:
    """Write entries of any orders, in one statement."""
    OrderChange.objects.bulk_create(
        OrderChange(
            order_id=entry.order_id,
            changed_at=now,
            actor=entry.author.user,
            actor_name=entry.author.name,
            source=entry.author.source[:MAX_SOURCE_CHARACTERS],
            ip_address=entry.author.ip,
            field=entry.change.field,
            old=entry.change.old,
            new=entry.change.new,
            version=entry.version,
        )
        for entry in entries
    )
