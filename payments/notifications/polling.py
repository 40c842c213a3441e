"""Reading a provider's own queue of notices (Paygent 091), for those that no push has brought.

Fetching takes a notice out of the queue, so each is stored before the next is fetched, and the cursor in the
database says where a reader died. Where the account's numbers are consecutive, a number that is missing is fetched
once more by name; elsewhere a notice whose fetching was interrupted is left to the nightly comparison.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from django.db import Error as DatabaseError
from django.db import connection

from cagolab import clock
from gateways.notices import Notice, NoticeFailure, NoticeQueue
from gateways.outcomes import NotSent, Reason, ReasonKind, Refused, Unknown
from payments import accounts, throttle
from payments.models import GatewayAccount, NoticeCursor, Notification
from payments.notifications import reception
from payments.reconciliation.journal import MemoryJournal

logger = logging.getLogger(__name__)

# One round of one account; the next minute's goes on. The account's throttle counts every question besides.
ROUND_SIZE = 60
ROUND_SECONDS = 20.0
# Longer than a round and the question that ends it; the cursor of a dead reader is free then.
LEASE_SECONDS = 180
# After a question that was not answered, in minutes.
TRY_AGAIN = (1, 2, 5, 15, 30)
# A wider gap is no loss: then the numbers are not consecutive after all.
WIDEST_GAP = 500

_Answer = TypeVar("_Answer")

_CLAIM = """
    UPDATE payments_noticecursor SET claimed_at = clock_timestamp()
    WHERE account_id = %s
      AND (next_at IS NULL OR next_at <= clock_timestamp())
      AND (claimed_at IS NULL OR claimed_at < clock_timestamp() - make_interval(secs => %s))
    RETURNING *
"""
_RELEASE = """
    UPDATE payments_noticecursor
    SET claimed_at = NULL, next_at = clock_timestamp() + make_interval(mins => %s)
    WHERE account_id = %s AND claimed_at = %s
"""


def work() -> None:
    """Read every queue whose time has come, one after the other."""
    for account in GatewayAccount.objects.filter(notice_poll_minutes__gt=0).order_by("pk"):
        try:
            fetch(account)
        except DatabaseError:
            raise  # the lease brings the cursor back
        except Exception:
            logger.exception("reading the notices of account %s broke", account.code)


def fetch(account: GatewayAccount) -> int:
    """Read the account's queue for one round. Returns how many notices had not come by themselves."""
    queue = accounts.notice_queue(account.code)
    if queue is None or not account.notice_poll_minutes:
        return 0
    NoticeCursor.objects.get_or_create(account=account)
    cursor = next(iter(NoticeCursor.objects.raw(_CLAIM, [account.pk, LEASE_SECONDS])), None)
    if cursor is None:
        return 0
    reader = _Reader(account, queue, cursor)
    reader.read()
    return reader.found


def skip_history(account: GatewayAccount) -> None:
    """Begin behind what the provider has told so far, without storing it: for an account whose record is known to
    be complete. Raises RuntimeError where the provider does not answer."""
    queue = accounts.notice_queue(account.code)
    assert queue is not None
    newest = ""
    while (notice := queue.take(MemoryJournal())) is not None:
        if not isinstance(notice, Notice):
            raise RuntimeError(f"the notices of account {account.code} cannot be read: {notice.reason.text}")
        newest = notice.number
    if newest:
        NoticeCursor.objects.update_or_create(
            account=account, defaults={"newest": int(newest), "checked": int(newest)}
        )


class _LeaseLost(Exception):
    """Another reader has the cursor: nothing more is written by this one."""


class _Ended(Exception):
    """The round is over; `minutes` until the next one."""

    def __init__(self, minutes: int) -> None:
        super().__init__()
        self.minutes = minutes


class _Reader:
    """One round under the cursor's lease."""

    def __init__(self, account: GatewayAccount, queue: NoticeQueue, cursor: NoticeCursor) -> None:
        self._account = account
        self._queue = queue
        self._cursor = cursor
        self.found = 0

    def read(self) -> None:
        """Until the queue is empty, the provider does not answer, or the round is over."""
        until = time.monotonic() + ROUND_SECONDS
        minutes = 0
        try:
            for _ in range(ROUND_SIZE):
                missing = self._missing()
                if missing is None:
                    self._take()
                else:
                    self._look_for(missing)
                if time.monotonic() >= until:
                    break
        except _Ended as ended:
            minutes = ended.minutes
        except _LeaseLost:
            logger.warning("the reader of account %s was too slow; another one goes on", self._account.code)
            return
        with connection.cursor() as database:
            database.execute(_RELEASE, [minutes, self._account.pk, self._cursor.claimed_at])

    def _missing(self) -> int | None:
        """The number that should exist: in a gap, or the one that a lost answer may have carried."""
        newest, checked = self._cursor.newest, self._cursor.checked
        if not self._account.notice_numbers_are_consecutive or newest is None or checked is None:
            return None
        if newest - checked > WIDEST_GAP:
            logger.warning(
                "account %s: notices %s to %s are too far apart for a gap; are the numbers consecutive?",
                self._account.code, checked, newest,
            )  # fmt: skip
            self._write(checked=newest)
        elif checked < newest:
            return int(checked) + 1
        return int(newest) + 1 if self._cursor.is_taking else None

    def _look_for(self, number: int) -> None:
        """Make sure of one number: it came by itself, or is fetched by name, or was never given."""
        exists = Notification.objects.filter(account=self._account, number=str(number)).exists()
        if not exists:
            answer = self._ask(lambda journal: self._queue.again(str(number), journal))
            if isinstance(answer, Notice):
                self._keep(answer)
                exists = True
            elif not isinstance(answer, Refused):
                raise self._failed(answer)
        assert self._cursor.newest is not None
        if number <= self._cursor.newest:
            self._write(checked=number)
        elif exists:
            self._write(checked=number, newest=number, is_taking=False)
        else:
            self._write(is_taking=False)

    def _take(self) -> None:
        self._write(is_taking=True)
        answer = self._ask(self._queue.take)
        if answer is None:
            self._write(is_taking=False, failures=0, message="", emptied_at=clock.now())
            raise _Ended(self._account.notice_poll_minutes)
        if not isinstance(answer, Notice):
            if not isinstance(answer, Unknown):
                self._write(is_taking=False)
            raise self._failed(answer)
        self._keep(answer)
        number, newest, checked = Decimal(answer.number), self._cursor.newest, self._cursor.checked
        if newest is None or number > newest:
            waits = self._account.notice_numbers_are_consecutive and checked is not None
            newest, checked = number, checked if waits else number
        self._write(newest=newest, checked=checked, is_taking=False)

    def _keep(self, notice: Notice) -> None:
        self.found += reception.take_in_fetched(self._account, notice, clock.now())

    def _ask(self, question: Callable[[MemoryJournal], _Answer]) -> _Answer | NotSent:
        with throttle.slot(self._account) as admitted:
            if not admitted:
                return NotSent(reason=Reason(kind=ReasonKind.BUSY, text="通信が混み合っています。"))
            return question(MemoryJournal())

    def _failed(self, answer: NoticeFailure) -> _Ended:
        """Write down why nothing came, and when to try again."""
        failures = self._cursor.failures + 1
        message = f"差分照会を行えませんでした。自動で繰り返します。{answer.reason.text}"
        self._write(failures=failures, message=message[:400])
        return _Ended(TRY_AGAIN[min(failures, len(TRY_AGAIN)) - 1])

    def _write(self, **values: Any) -> None:
        """Write the cursor while the lease holds. Raises _LeaseLost."""
        held = NoticeCursor.objects.filter(pk=self._cursor.pk, claimed_at=self._cursor.claimed_at)
        if not held.update(**values):
            raise _LeaseLost
        for name, value in values.items():
            setattr(self._cursor, name, value)
