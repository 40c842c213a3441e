"""Sending the mails that were written down, each once (cagolab.mail_queue)."""

from __future__ import annotations

from cagolab.mail_queue import send_waiting
from orders.models import SentMail

# One ring sends at most so many, so that a worker comes back to other work.
MAILS_PER_RING = 50


def send_queued() -> int:
    """Send what waits; the number of mails that were tried."""
    return send_waiting(SentMail.objects.all(), limit=MAILS_PER_RING)
