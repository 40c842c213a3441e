"""The account's throttle: calls at a time and calls per second, above all processes and workers.

Kept in Redis, which may be emptied at any time: then it starts counting anew. Where Redis does not answer, one
call at a time per process is let through, so that a single click still works.
"""

from __future__ import annotations

import contextlib
import logging
import os
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
# A slot whose process died is free again after this time: well before the rows that a bulk run puts back for want
# of a slot have failed (5, 20 and 60 s). A living process renews its slots several times meanwhile.
LEASE_SECONDS = 20
RENEW_SECONDS = 5.0
PAUSE_SECONDS = 0.02
# Who waits asks again after each pause; who has not for so long has died or given up.
GONE_SECONDS = 1.0
# Of the calls that an account allows at a time, bulk runs leave so many to people at their screens.
CALLS_KEPT_FOR_CLICKS = 4

_without_redis = threading.Lock()

# KEYS: leases of the account, calls per second (a prefix), who waits since when, and when they were last seen.
# ARGV: lease in seconds, limit, limit per second, id, seconds after which a waiting one counts as gone.
# Slots go to those who have waited longest, so that ten thousand rows of one run, whose callers come back again and
# again, are not in the way of three rows of another. The time is the Redis server's, so that machines whose clocks
# differ agree on what has expired.
_TAKE = """
local now = redis.call('TIME')
local second = tonumber(now[1])
local moment = second + tonumber(now[2]) / 1000000
local counter = KEYS[2] .. ':' .. now[1]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', moment)
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', moment - tonumber(ARGV[5]))) do
    redis.call('ZREM', KEYS[3], gone)
    redis.call('ZREM', KEYS[4], gone)
end
local free = math.min(
    tonumber(ARGV[2]) - redis.call('ZCARD', KEYS[1]),
    tonumber(ARGV[3]) - tonumber(redis.call('GET', counter) or '0'))
local ahead = redis.call('ZRANK', KEYS[3], ARGV[4]) or redis.call('ZCARD', KEYS[3])
if ahead >= free then
    redis.call('ZADD', KEYS[3], 'NX', moment, ARGV[4])
    redis.call('ZADD', KEYS[4], moment, ARGV[4])
    redis.call('EXPIRE', KEYS[3], ARGV[1])
    redis.call('EXPIRE', KEYS[4], ARGV[1])
    return 0
end
redis.call('ZREM', KEYS[3], ARGV[4])
redis.call('ZREM', KEYS[4], ARGV[4])
redis.call('INCR', counter)
redis.call('EXPIRE', counter, 2)
redis.call('ZADD', KEYS[1], moment + tonumber(ARGV[1]), ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""
# Only what is still there is renewed: a slot that was given back meanwhile stays free.
_RENEW = """
local now = redis.call('TIME')
local ends = tonumber(now[1]) + tonumber(ARGV[1])
for position = 2, #ARGV do redis.call('ZADD', KEYS[1], 'XX', ends, ARGV[position]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


_of_thread = threading.local()


def _connection() -> redis.Redis:
    """The thread's own connection: callers share no lock, and a process that was forked begins anew."""
    if getattr(_of_thread, "pid", None) != os.getpid():
        _of_thread.pid = os.getpid()
        _of_thread.connection = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1, single_connection_client=True
        )
    connection: redis.Redis = _of_thread.connection
    return connection


@cache
def _take_script() -> redis.commands.core.Script:
    return _connection().register_script(_TAKE)


@cache
def _renew_script() -> redis.commands.core.Script:
    return _connection().register_script(_RENEW)


class _Held:
    """The slots of this process. A thread renews them, so that a long call keeps its slot and a dead process not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leases: dict[str, set[str]] = {}
        self._renewing = False

    def add(self, key: str, lease: str) -> None:
        with self._lock:
            self._leases.setdefault(key, set()).add(lease)
            if not self._renewing:
                self._renewing = True
                threading.Thread(target=self._renew, name="throttle-leases", daemon=True).start()

    def remove(self, key: str, lease: str) -> None:
        with self._lock:
            self._leases[key].discard(lease)

    def _renew(self) -> None:
        while True:
            time.sleep(RENEW_SECONDS)
            with self._lock:
                held = {key: sorted(leases) for key, leases in self._leases.items() if leases}
                if not held:
                    self._renewing = False
                    return
            for key, leases in held.items():
                with contextlib.suppress(redis.RedisError):
                    _renew_script()(keys=[key], args=[LEASE_SECONDS, *leases], client=_connection())


_held = _Held()


@contextlib.contextmanager
def slot(account: GatewayAccount, *, leaves: int = 0) -> Iterator[bool]:
    """Wait for a turn to call the account's provider; False when none came free in PATIENCE_SECONDS.

    `leaves`: so many of the account's calls at a time must stay free for others.
    """
    lease = uuid.uuid4().hex
    key = f"throttle:{account.code}"
    try:
        admitted = _wait(account, key, lease, leaves)
    except redis.RedisError:
        logger.warning("Redis does not answer; calls to %s go one at a time", account.code)
        with _without_redis:
            yield True
        return
    if not admitted:
        yield False
        return
    _held.add(key, lease)
    try:
        yield True
    finally:
        _held.remove(key, lease)
        with contextlib.suppress(redis.RedisError):
            _connection().zrem(key, lease)


def _wait(account: GatewayAccount, key: str, lease: str, leaves: int) -> bool:
    give_up = time.monotonic() + PATIENCE_SECONDS
    limit = max(1, account.max_concurrent_calls - leaves)
    # People at their screens do not queue behind bulk runs: slots are kept for them.
    waiting, seen = f"{key}:waiting:{leaves}", f"{key}:seen:{leaves}"
    args: list[str | int | float] = [LEASE_SECONDS, limit, account.max_calls_per_second, lease, GONE_SECONDS]
    while True:
        if _take_script()(keys=[key, key, waiting, seen], args=args, client=_connection()):
            return True
        if time.monotonic() > give_up:
            _connection().zrem(waiting, lease)
            return False
        time.sleep(PAUSE_SECONDS)
