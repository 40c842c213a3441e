"""The settings of the nightly jobs: one row for all, one per job; made when they are first asked for."""

from __future__ import annotations

from django.conf import settings as django_settings

from payments.models import NightlyJob, NightlySettings

# The stale orders and the comparison before the shop opens, the reminder when it does.
DEFAULT_HOURS = {
    NightlyJob.Kind.STALE_ORDERS: 3,
    NightlyJob.Kind.DEADLINE_WATCH: 8,
    NightlyJob.Kind.RECONCILIATION: 4,
}


def nightly_settings() -> NightlySettings:
    """The row for all jobs."""
    row, _created = NightlySettings.objects.get_or_create(pk=1)
    return row


def job(kind: NightlyJob.Kind) -> NightlyJob:
    """The schedule of one job; off until somebody switches it on."""
    row, _created = NightlyJob.objects.get_or_create(kind=kind, defaults={"hour": DEFAULT_HOURS[kind]})
    return row


def mail_to() -> str:
    """Where the jobs report to."""
    return nightly_settings().mail_to or django_settings.DEFAULT_FROM_EMAIL
