"""The background work of orders: bells that look at what is in PostgreSQL."""

from __future__ import annotations

from celery import shared_task

from orders import counts, mail_sending, sales


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def fold_counts() -> None:
    """Every minute: fold the changes of counts and of daily sales that triggers have written."""
    counts.fold()
    sales.fold()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def send_mails() -> None:
    """When a mail was written, and every minute: send what waits."""
    mail_sending.send_queued()
