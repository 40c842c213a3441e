"""Counting wrong passwords and codes, and refusing to look at more of them for a while.

A lock hits who guesses, not whom: a login id is locked per client address, so nobody outside can lock a
colleague out. Wrong tries from everywhere together close a login id only for addresses it has never come from.
Times are the machine's, since the demo's clock may jump.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from cagolab.models import AuditEntry, LoginThrottle
from cagolab.security.addresses import network_of

# PCI DSS 8.3.4: at most ten wrong tries, then at least 30 minutes or an administrator.
LOCK_MINUTES = 30
# Tries further apart than this are not one series.
SERIES = timedelta(hours=12)
# A row nobody has touched for this long says nothing any more.
KEPT = timedelta(days=2)
# An address counts as the user's own for this long after a login from it.
KNOWN_ADDRESS_DAYS = 90


@dataclass(frozen=True)
class Limit:
    """So many wrong tries in a series close `scope` for LOCK_MINUTES."""

    scope: str
    tries: int


LOGIN = Limit("login", 10)  # one login id from one address
ADDRESS = Limit("address", 50)  # any login ids from one address
ACCOUNT = Limit("account", 100)  # one login id from everywhere
CODE = Limit("code", 10)  # one user's second factor
PASSWORD = Limit("password", 10)  # one user's password, asked for again inside a session


def claim(limit: Limit, *parts: str, user: User | None = None, address: str | None = None) -> bool:
    """Count one try before it is looked at. False when it must not be looked at.

    Counted first, under the row's lock, so that tries sent at the same moment are not all looked at.
    """
    now = timezone.now()
    with transaction.atomic():
        LoginThrottle.objects.get_or_create(
            scope=limit.scope,
            key=_key(limit, parts),
            defaults={"user": user, "address": address, "last_at": now},
        )
        row = LoginThrottle.objects.select_for_update(of=("self",)).get(
            scope=limit.scope, key=_key(limit, parts)
        )
        if row.locked_until is not None and row.locked_until > now:
            return False
        if row.locked_until is not None or row.last_at < now - SERIES:
            row.tries = 0
        row.tries += 1
        row.last_at = now
        row.locked_until = now + timedelta(minutes=LOCK_MINUTES) if row.tries >= limit.tries else None
        row.user, row.address = user, address
        row.save()
        return True


def is_locked(limit: Limit, *parts: str) -> bool:
    """True while the scope is closed for this key."""
    return LoginThrottle.objects.filter(
        scope=limit.scope, key=_key(limit, parts), locked_until__gt=timezone.now()
    ).exists()


def clear(limit: Limit, *parts: str) -> None:
    """The try was right: the series is over."""
    LoginThrottle.objects.filter(scope=limit.scope, key=_key(limit, parts)).delete()
    LoginThrottle.objects.filter(last_at__lt=timezone.now() - KEPT).delete()


def begin_login(username: str, address: str | None) -> bool:
    """Count a login before its password is looked at. False when it is to be refused unseen."""
    network = network_of(address)
    user = User.objects.filter(username=username).first()
    if is_locked(ADDRESS, network):
        return False
    if is_locked(ACCOUNT, username) and not _has_come_from(user, network):
        return False
    return claim(LOGIN, username, network, user=user, address=address)


def login_failed(username: str, address: str | None) -> None:
    """Count a wrong login for the address and for the login id, besides what `begin_login` counted."""
    claim(ADDRESS, network_of(address), address=address)
    claim(ACCOUNT, username, user=User.objects.filter(username=username).first())


def login_succeeded(username: str, address: str | None) -> None:
    """End the series of this login id at this address. The address's own count goes on."""
    clear(LOGIN, username, network_of(address))


def locks(now: datetime | None = None) -> list[LoginThrottle]:
    """What is closed now, newest first."""
    return list(
        LoginThrottle.objects.filter(locked_until__gt=now or timezone.now())
        .select_related("user")
        .order_by("-last_at")[:200]
    )


def _key(limit: Limit, parts: tuple[str, ...]) -> str:
    # A digest: people type passwords into the field of the login id.
    return salted_hmac(f"cagolab.throttle.{limit.scope}", "\n".join(parts), algorithm="sha256").hexdigest()


def _has_come_from(user: User | None, network: str) -> bool:
    if user is None or not network:
        return False
    since = timezone.now() - timedelta(days=KNOWN_ADDRESS_DAYS)
    addresses = (
        AuditEntry.objects.filter(actor=user, kind=AuditEntry.Kind.LOGIN, at__gte=since)
        .order_by()
        .values_list("ip_address", flat=True)
        .distinct()
    )
    return any(network_of(address) == network for address in addresses)
