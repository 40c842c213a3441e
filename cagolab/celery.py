"""Celery: the bell that makes workers look at the work lists in PostgreSQL."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from cagolab.warm_up import keep_what_is_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cagolab.settings")

app = Celery("cagolab")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["orders.bulk", "orders.exports", "payments.nightly", "payments.notifications"])


@worker_ready.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _everything_is_loaded(**_signal: Any) -> None:
    keep_what_is_loaded()
