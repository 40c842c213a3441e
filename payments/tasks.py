"""Celery tasks of payments: bells that make the work lists in PostgreSQL be looked at."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from cagolab import clock
from payments import recovery
from payments.reconciliation import bells


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def recover() -> int:
    """Every minute: settle open operations by asking."""
    return recovery.recover_due(clock.now())


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def reconcile(run_id: str) -> None:
    """Compare for a while, and come back when the next case is due."""
    bells.answer(UUID(run_id))


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def ring_reconciliations() -> None:
    """Every minute: ring again for the runs under way."""
    bells.ring_again()
