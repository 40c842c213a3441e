"""The rows of 差異一覧: opened, seen again, closed by themselves when the two sides agree (X-4).

Everything about one payment happens under the lock of its row.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from gateways.vocabulary import Action, PaymentStatus
from orders.statuses import OrderStatus
from payments import labels, wording
from payments.actors import By
from payments.models import GatewayAccount, Operation, Payment, PaymentDifference
from payments.reconciliation.compare import Difference, Ours, against_order
from payments.reconciliation.journal import MemoryJournal

State = PaymentDifference.State
Kind = PaymentDifference.Kind

_SIDES = ("our_status", "our_amount", "our_date", "their_status", "their_amount", "their_date")
# What makes a difference another one than the one that a person has dealt with.
_WHAT = ("our_status", "our_amount", "their_status", "their_amount")


def ours(payment: Payment) -> Ours:
    """Our side of a payment row (order joined)."""
    return Ours(
        status=PaymentStatus(payment.status),
        amount=payment.amount,
        authorized_at=payment.authorized_at,
        captured_at=payment.captured_at,
        order_status=OrderStatus(payment.order.status),
    )


def keep(
    payment: Payment, found: Sequence[Difference], *, journal: MemoryJournal, by: By, now: datetime
) -> None:
    """Make the list say what was found about a payment. Needs the payment's lock.

    A difference that a person has marked 対応済み stays so for as long as it says the same.
    """
    close_gone(payment, keep={difference.kind for difference in found}, now=now)
    operation: Operation | None = None
    for difference in found:
        row = PaymentDifference.objects.filter(payment=payment, kind=difference.kind).order_by("-pk").first()
        same = row is not None and _says_the_same(row, difference)
        if row is not None and (row.is_open or (row.state == State.HANDLED and same)):
            if not same:
                operation = operation or _write_down(payment, found, journal, by, now)
                row.seen_by = operation
            for side in _SIDES:
                setattr(row, side, _value(difference, side))
            row.last_seen_at = now
            row.save()
            continue
        operation = operation or _write_down(payment, found, journal, by, now)
        PaymentDifference.objects.create(
            account=payment.account,
            payment=payment,
            order=payment.order,
            provider_order_id=payment.provider_order_id,
            kind=difference.kind,
            first_seen_at=now,
            last_seen_at=now,
            seen_by=operation,
            **{side: _value(difference, side) for side in _SIDES},
        )


def close_gone(
    payment: Payment, *, keep: set[PaymentDifference.Kind], now: datetime, seen: Operation | None = None
) -> int:
    """Close the open differences of a payment that are no more. Returns how many.

    `seen` is the operation that has shown it, where it was not a comparison.
    """
    return (
        PaymentDifference.objects.filter(payment=payment, state=State.OPEN)
        .exclude(kind__in=keep)
        .update(
            state=State.GONE,
            closed_at=now,
            closed_by=seen.actor if seen else None,
            closed_by_name=seen.actor_name if seen else "差異確認",
        )
    )


def close_answered(payment: Payment, operation: Operation, now: datetime) -> None:
    """Close what an operation has just put right: our record is now the provider's own word.

    What the order's 対応状況 says against it stays open. Needs the payment's lock (order joined).
    """
    still = set(against_order(OrderStatus(payment.order.status), PaymentStatus(payment.status)))
    close_gone(payment, keep=still, now=now, seen=operation)


def close_answered_many(ended: Sequence[tuple[Payment, Operation]], now: datetime) -> None:
    """As `close_answered` for many, of which few have anything open: one query where none has."""
    by_payment = {payment.pk: (payment, operation) for payment, operation in ended}
    differing = PaymentDifference.objects.filter(payment__in=by_payment, state=State.OPEN)
    for payment_id in sorted(set(differing.values_list("payment_id", flat=True))):
        payment, operation = by_payment[payment_id]
        payment.order.refresh_from_db(fields=["status"])
        close_answered(payment, operation, now)


def record_unknown_trade(
    *,
    account: GatewayAccount,
    provider_order_id: str,
    status: PaymentStatus | None,
    amount: int | None,
    now: datetime,
) -> PaymentDifference | None:
    """注文なし: the provider told of a trade that no order of ours has. Told again, it is the same row.

    None where a person has dealt with the very same before. Call it outside of a provider call's waiting;
    it is one short transaction and safe to repeat.
    """
    same = PaymentDifference.objects.filter(
        account=account, provider_order_id=provider_order_id, kind=Kind.UNKNOWN_TRADE
    )
    handled = same.filter(
        state=State.HANDLED, their_status=status.value if status else "", their_amount=amount
    )
    if handled.update(last_seen_at=now):
        return None
    sides = {"their_status": status.value if status else "", "their_amount": amount, "last_seen_at": now}
    try:
        with transaction.atomic():
            row, _created = PaymentDifference.objects.update_or_create(
                account=account,
                provider_order_id=provider_order_id,
                kind=Kind.UNKNOWN_TRADE,
                state=State.OPEN,
                defaults=sides,
                create_defaults=sides | {"first_seen_at": now},
            )
            return row
    except IntegrityError:  # told twice at once: the other one has written it
        return same.filter(state=State.OPEN).first()


def _value(difference: Difference, side: str) -> object:
    value = getattr(difference, side)
    if side.endswith("_status"):
        return value.value if value else ""
    return value


def _says_the_same(row: PaymentDifference, difference: Difference) -> bool:
    return all(getattr(row, side) == _value(difference, side) for side in _WHAT)


def _write_down(
    payment: Payment, found: Sequence[Difference], journal: MemoryJournal, by: By, now: datetime
) -> Operation:
    """The inquiry as an entry of the 決済ログ, with its telegrams; it has changed nothing."""
    kinds = "・".join(difference.kind.label for difference in found)
    provider = payment.account.provider
    ours_words = f"{labels.status_label(provider, payment.status)} {wording.yen(payment.amount)}"
    operation = Operation.objects.create(
        payment=payment,
        action=Action.INQUIRE.value,
        state=Operation.State.SUCCEEDED,
        key=uuid.uuid4(),
        plan=[],
        status_before=payment.status,
        amount_before=payment.amount,
        amount=payment.amount,
        source=by.source,
        actor=by.user,
        actor_name=by.name,
        ip_address=by.ip,
        started_at=now,
        timeout_at=now,
        settled_at=now,
        message=f"差異確認で見つかりました({kinds})。当店の記録({ours_words})は変えていません。差異一覧で対応してください。",
    )
    journal.write_under(operation)
    return operation
