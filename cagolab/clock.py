"""The one clock of the product. Rules take `now` as an argument; only the edges ask here.

In demo and tests the clock follows the sandbox's, so that a month end can be tried on a Tuesday.
Production settings have no SANDBOX_URL, and then the clock is the machine's.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

TOKYO = ZoneInfo("Asia/Tokyo")
# How long an offset read from the sandbox is believed; short, so that a test that moves the clock waits little.
OFFSET_LIFE_SECONDS = 0.5

_lock = threading.Lock()
# Guarded by the lock. Kept alive: two questions a second would otherwise cost more than what they interrupt.
_session = requests.Session()
_session.trust_env = False
# Once more where the server has closed the connection in the very moment in which it is used again.
_session.mount("http://", HTTPAdapter(max_retries=1))
_offset = timedelta()
_read_at = float("-inf")


def now() -> datetime:
    """The time now, aware, in UTC; in demo and tests as the sandbox's clock says."""
    if not settings.SANDBOX_URL:
        return datetime.now(UTC)
    return datetime.now(UTC) + _sandbox_offset()


def today() -> date:
    """The day now in Tokyo."""
    return now().astimezone(TOKYO).date()


def forget_offset() -> None:
    """Read the sandbox's clock anew at the next call (tests that have just moved it)."""
    global _read_at
    with _lock:
        _read_at = float("-inf")


def _sandbox_offset() -> timedelta:
    global _offset, _read_at
    with _lock:
        if time.monotonic() - _read_at < OFFSET_LIFE_SECONDS:
            return _offset
        try:
            answer = _session.get(f"{settings.SANDBOX_URL}/_clock", timeout=(1, 2)).json()
            _offset = timedelta(seconds=float(answer["offset"]))
        except (requests.RequestException, ValueError, KeyError):
            pass  # the sandbox is down: the last offset stays right until somebody moves a clock that is off
        _read_at = time.monotonic()
        return _offset
