"""Celery: the bell that makes workers look at the work lists in PostgreSQL."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cagolab.settings")

app = Celery("cagolab")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["orders.bulk", "orders.exports", "payments.nightly", "payments.notifications"])
