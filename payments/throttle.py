"""The account's throttle: calls at a time and calls per second, above all processes and workers.

Kept in Redis, which may be emptied at any time: then it starts counting anew. Where Redis does not answer, one
call at a time per process is let through, so that a single click still works.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Iterator
from functools import cache

import redis
from django.conf import settings

from payments.models import GatewayAccount

logger = logging.getLogger(__name__)

# How long a call may wait for its turn before it is 未送信 (seconds).
PATIENCE_SECONDS = 10.0
# A slot whose process died is free again after the longest call.
LEASE_SECONDS = 240
PAUSE_SECONDS = 0.02

_without_redis = threading.Lock()

# KEYS: leases of the account, counter of this second. ARGV: now, lease end, limit, limit per second, id.
_TAKE = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[4]) then return 0 end
redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], 2)
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[6])
return 1
"""


@cache
def _connection() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1)


@cache
def _take_script() -> redis.commands.core.Script:
    return _connection().register_script(_TAKE)


@contextlib.contextmanager
def slot(account: GatewayAccount) -> Iterator[bool]:
    """Wait for a turn to call the account's provider; False when none came free in PATIENCE_SECONDS."""
    lease = uuid.uuid4().hex
    key = f"throttle:{account.code}"
    try:
        admitted = _wait(account, key, lease)
    except redis.RedisError:
        logger.warning("Redis does not answer; calls to %s go one at a time", account.code)
        with _without_redis:
            yield True
        return
    try:
        yield admitted
    finally:
        if admitted:
            with contextlib.suppress(redis.RedisError):
                _connection().zrem(key, lease)


def _wait(account: GatewayAccount, key: str, lease: str) -> bool:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        now = time.time()
        taken = _take_script()(
            keys=[key, f"{key}:{int(now)}"],
            args=[
                now,
                now + LEASE_SECONDS,
                account.max_concurrent_calls,
                account.max_calls_per_second,
                lease,
                LEASE_SECONDS,
            ],
        )
        if taken:
            return True
        if time.monotonic() > give_up:
            return False
        time.sleep(PAUSE_SECONDS)
