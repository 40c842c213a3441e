"""Writing 操作履歴: who did what, when and from where, of what leaves no other row (X-6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.contrib.auth.models import User
from django.http import HttpRequest

from cagolab import clock
from cagolab.models import AuditEntry
from cagolab.people import name_of
from cagolab.security.addresses import address_of

Kind = AuditEntry.Kind
# Written where no request is: a command on the server, a migration.
COMMAND = "サーバーでの操作"
_acting: ContextVar[HttpRequest | None] = ContextVar("acting", default=None)


@contextmanager
def acting(request: HttpRequest) -> Iterator[None]:
    """Whatever is written inside without a request of its own (by signals) was done by this request's user."""
    token = _acting.set(request)
    try:
        yield
    finally:
        _acting.reset(token)


def record(
    kind: AuditEntry.Kind,
    request: HttpRequest | None,
    *,
    target: str = "",
    detail: str = "",
    actor: User | None = None,
    actor_name: str = "",
) -> None:
    """Write one entry that can never be changed; inside the caller's transaction, if one is open.

    The actor is the request's user, unless one is named.
    """
    request = request or _acting.get()
    user = getattr(request, "user", None) if request is not None else None
    if actor is None and isinstance(user, User):
        actor = user
    AuditEntry.objects.create(
        at=clock.now(),
        kind=kind,
        actor=actor,
        actor_name=(actor_name or (name_of(actor) if actor else COMMAND))[:150],
        ip_address=address_of(request) if request is not None else None,
        target=target[:200],
        detail=detail,
    )
