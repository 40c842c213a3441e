"""Bells of notifications; the work list is in PostgreSQL."""

from __future__ import annotations

from celery import shared_task

from payments.notifications import asking, polling


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def ask() -> None:
    """When one came in, and every minute: ask about what is due.

    It rings for nothing that is due later: every notification brings a bell of its own, and bells that ring on
    while anything waits would never die out under traffic.
    """
    asking.work()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def fetch() -> None:
    """Every minute: read the queues of notices whose time has come (protocol Paygent, 091)."""
    polling.work()
