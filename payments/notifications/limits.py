"""How many notifications one account takes: counters in Redis, which may be emptied or away at any time.

A shop that captures thousands of orders at once gets thousands of genuine ones; those that do not fit anything of
ours have a much lower limit, so that nobody can fill the table with them.
"""

from __future__ import annotations

import time
from functools import cache

import redis
from django.conf import settings

PER_MINUTE = 6000
STRANGE_PER_MINUTE = 120


@cache
def _connection() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=0.5)


def admits(account_code: str) -> bool:
    """Count one request. False beyond the limit of the minute; the provider sends it again later."""
    return _below(f"notify:{account_code}", PER_MINUTE)


def admits_strange(account_code: str) -> bool:
    """Count one that fits no payment or does not look like the provider's."""
    return _below(f"notify-strange:{account_code}", STRANGE_PER_MINUTE)


def _below(name: str, limit: int) -> bool:
    key = f"{name}:{int(time.time() // 60)}"
    try:
        with _connection().pipeline() as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, 120)
            count, _ = pipeline.execute()
    except redis.RedisError:
        return True  # storing one too many does less harm than losing a genuine one
    return int(count) <= limit
