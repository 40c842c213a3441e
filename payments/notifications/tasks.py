"""Bells of notifications; the work list is in PostgreSQL."""

from __future__ import annotations

from celery import shared_task

from payments.notifications import asking, polling, reception


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def ask() -> None:
    """When one came in, and every minute: ask about what waits, and come back for what is due soon."""
    asking.work()
    waiting = asking.seconds_until_due()
    if waiting is not None and waiting < 60:
        ask.apply_async(countdown=waiting, retry=False)


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def ring() -> None:
    """Every minute: for bells that nobody heard."""
    if asking.seconds_until_due() is not None:
        reception.ring()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def fetch() -> None:
    """Every minute: read the queues of notices whose time has come (protocol Paygent, 091)."""
    polling.work()
