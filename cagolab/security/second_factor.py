"""The second factor: time-based codes of an authenticator app (RFC 6238), and recovery codes.

A code is good once, within one step of 30 seconds of the machine's clock. Recovery codes are kept as digests.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from cagolab.models import RecoveryCode, SecondFactor
from cagolab.roles import MOVE_MONEY
from payments import credentials

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20
RECOVERY_CODES = 10
RECOVERY_BYTES = 10

# What the session says: nothing, WANTED after the password of a user who has a factor, PASSED after the code.
STATE = "second_factor"
WANTED = "wanted"
PASSED = "passed"
# The secret of an app that is being set up, encrypted, until its first code was right.
PENDING = "second_factor_pending"


def is_wanted(session: SessionBase) -> bool:
    """True after the password, before the code."""
    return bool(session.get(STATE) == WANTED)


def must_enrol(user: User, session: SessionBase) -> bool:
    """True when this user's role needs a second factor and this session was opened without one."""
    return settings.REQUIRE_SECOND_FACTOR and session.get(STATE) != PASSED and bool(user.has_perm(MOVE_MONEY))


def has(user: User) -> bool:
    """True when an app is set up."""
    return SecondFactor.objects.filter(user=user).exists()


def pending_secret(session: SessionBase) -> str:
    """The secret (base32) of the app that is being set up in this session; made at the first call."""
    opened = credentials.unseal(session.get(PENDING, ""))
    if "totp" not in opened:
        opened = {"totp": base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()}
        session[PENDING] = credentials.seal(opened)
    return opened["totp"]


def address_for_app(user: User, secret: str, *, shop: str) -> str:
    """The otpauth address that the QR code holds."""
    label = quote(f"{shop}:{user.get_username()}")
    return (
        f"otpauth://totp/{label}?secret={secret}&issuer={quote(shop)}&digits={DIGITS}&period={STEP_SECONDS}"
    )


def enrol(user: User, session: SessionBase, code: str) -> list[str] | None:
    """Keep the app once its first code is right, and return recovery codes to be shown once; None when wrong."""
    secret = pending_secret(session)
    step = _step_of(secret, code, after=0)
    if step is None:
        return None
    with transaction.atomic():
        SecondFactor.objects.create(
            user=user,
            sealed_secret=credentials.seal({"totp": secret}),
            last_step=step,
            created_at=timezone.now(),
        )
        codes = new_recovery_codes(user)
    session.pop(PENDING, None)
    session[STATE] = PASSED
    session.cycle_key()
    return codes


def verify(user: User, code: str) -> bool:
    """True for the app's present code, once, or for a recovery code, which is then gone."""
    compact = "".join(code.split()).replace("-", "").upper()
    if len(compact) != DIGITS:
        deleted, _rows = RecoveryCode.objects.filter(user=user, digest=_digest(compact)).delete()
        return bool(deleted)
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user=user).first()
        if factor is None:
            return False
        secret = credentials.unseal(factor.sealed_secret).get("totp")
        step = _step_of(secret, compact, after=factor.last_step) if secret else None
        if step is None:
            return False
        factor.last_step = step
        factor.save(update_fields=["last_step"])
        return True


def new_recovery_codes(user: User) -> list[str]:
    """Ten new codes, such as ABCD-EFGH-IJKL-MNOP; the old ones are gone."""
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(code)) for code in codes)
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]


def reset(user: User) -> None:
    """Forget the app and the recovery codes, for somebody who has lost the phone."""
    with transaction.atomic():
        SecondFactor.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()


def code_at(secret: str, moment: float) -> str:
    """The app's code at a moment (seconds since 1970)."""
    # SHA1 is what authenticator apps know; inside HMAC it is sound.
    key = base64.b32decode(secret)
    return TOTP(key, DIGITS, SHA1(), STEP_SECONDS).generate(int(moment)).decode()  # noqa: S303


def _step_of(secret: str, code: str, *, after: int) -> int | None:
    """The step whose code this is: the present one or its neighbours, and later than `after`."""
    if not (code.isascii() and code.isdecimal()):
        return None
    present = int(time.time()) // STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if step > after and constant_time_compare(code_at(secret, step * STEP_SECONDS), code):
            return step
    return None


def _digest(code: str) -> str:
    # 80 random bits need no slow hash.
    return hashlib.sha256(code.encode()).hexdigest()
