"""操作履歴: who changed which field of an order, when and from where (X-6)."""

from __future__ import annotations

from collections.abc import Iterable
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
    OrderChange.objects.bulk_create(
        OrderChange(
            order_id=order_id,
            changed_at=now,
            actor=author.user,
            actor_name=author.name,
            source=author.source[:MAX_SOURCE_CHARACTERS],
            ip_address=author.ip,
            field=change.field,
            old=change.old,
            new=change.new,
            version=version,
        )
        for change in changes
    )
