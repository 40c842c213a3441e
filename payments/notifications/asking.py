"""What notifications lead to: the provider is asked, and only its answer changes anything (invariant 14).

The rows are the work list. Notifications of one payment that wait together are answered by one question. What
says exactly what our record says needs no question: mostly the echo of what we did ourselves.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime

from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import QuerySet

from cagolab import clock
from gateways.outcomes import ReasonKind
from gateways.vocabulary import Action
from payments import accounts, calling, facts, inquiry
from payments.actors import By
from payments.models import Notification, Operation, Payment

logger = logging.getLogger(__name__)

NOTIFIED = By(name="結果通知", source=Operation.Source.NOTIFICATION)
BELL_SECONDS = 20.0
# A claim older than this belongs to a worker that died; longer than one question.
LEASE_SECONDS = 180
# Before another try, in seconds: first a moment for our own call, whose answer usually comes by itself; after the
# last one a person reads it.
TRY_AGAIN = (5, 60, 300, 900, 3600, 6 * 3600)

State = Notification.State

_CLAIM = """
    UPDATE payments_notification SET state = 'claimed', claimed_at = clock_timestamp()
    WHERE id = (
        SELECT id
        FROM payments_notification
        WHERE (state = 'waiting' AND (not_before IS NULL OR not_before <= clock_timestamp()))
           OR (state = 'claimed' AND claimed_at < clock_timestamp() - make_interval(secs => %s))
        ORDER BY id
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""
_JOIN = """
    UPDATE payments_notification SET state = 'claimed', claimed_at = %s
    WHERE id IN (
        SELECT id FROM payments_notification
        WHERE payment_id = %s AND state = 'waiting'
        FOR UPDATE SKIP LOCKED
    )
"""
_PUT_BACK = """
    UPDATE payments_notification
    SET state = 'waiting', tries = tries + 1, claimed_at = NULL, message = %s,
        not_before = clock_timestamp() + make_interval(secs => %s)
    WHERE payment_id = %s AND state = 'claimed' AND claimed_at = %s
"""


def work(*, seconds: float = BELL_SECONDS) -> int:
    """Deal with notifications until none is due or the time is over. Returns the number of questions' rows."""
    until = time.monotonic() + seconds
    done = 0
    while time.monotonic() < until and (row := _claim()) is not None:
        try:
            _handle(row)
        except DatabaseError:
            raise  # the lease brings the row back
        except Exception:
            logger.exception("notification %s broke", row.pk)
            _try_later(row, "システムエラーのため確認できませんでした。")
        done += 1
    return done


def _handle(row: Notification) -> None:
    payment = Payment.objects.select_related("account").get(notifications=row)
    open_operation = facts.open_operation_of(payment)
    if open_operation is None and _says_what_we_know(row, payment):
        _end(row, State.CONFIRMED, "当店の記録と一致しています。")
        return
    now = clock.now()
    if open_operation is not None and row.tries == 0 and _awaits_its_answer(open_operation, now):
        _try_later(row, "実行中の操作の結果を待っています。")
        return
    _join(row)
    _conclude(row, inquiry.inquire_now(payment_id=payment.pk, by=NOTIFIED, now=now))


def _says_what_we_know(row: Notification, payment: Payment) -> bool:
    """Such a notification could be forged, and would change nothing."""
    desk = accounts.notice_desk(payment.account.code)
    return desk is not None and desk.repeats(row.fields, calling.reference(payment))


def _awaits_its_answer(operation: Operation, now: datetime) -> bool:
    return operation.state == Operation.State.STARTED and now < operation.timeout_at


def _conclude(row: Notification, operation: Operation) -> None:
    if operation.state in Operation.OPEN_STATES:
        _try_later(row, "操作の結果を確認中です。自動で確認を続けます。")
    elif operation.action != Action.INQUIRE or operation.state == Operation.State.SUCCEEDED:
        _end(row, State.CONFIRMED, operation.message or "決済代行会社に確認し、操作の結果を反映しました。")
    elif operation.reason_kind == ReasonKind.NOT_FOUND:
        _end(row, State.SUSPICIOUS, f"通知された取引は、決済代行会社にありません。{operation.message}")
    else:
        _try_later(row, operation.message)


def _claim() -> Notification | None:
    return next(iter(Notification.objects.raw(_CLAIM, [LEASE_SECONDS])), None)


def _join(row: Notification) -> None:
    """Put what else waits for the payment under the same claim: one question answers them all."""
    with connection.cursor() as cursor:
        cursor.execute(_JOIN, [row.claimed_at, row.payment_id])


def _end(row: Notification, state: Notification.State, message: str) -> None:
    """Write how the claimed notification ended, and with it those that waited for the same question."""
    _claimed_with(row).update(
        state=state, message=message[:400], finished_at=clock.now(), claimed_at=None, not_before=None
    )


def _try_later(row: Notification, message: str) -> None:
    if row.tries >= len(TRY_AGAIN):
        _end(row, State.UNCONFIRMED, message)
        return
    with connection.cursor() as cursor:
        cursor.execute(_PUT_BACK, [message[:400], TRY_AGAIN[row.tries], row.payment_id, row.claimed_at])


def _claimed_with(row: Notification) -> QuerySet[Notification]:
    return Notification.objects.filter(payment=row.payment, state=State.CLAIMED, claimed_at=row.claimed_at)
