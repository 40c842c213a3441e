"""対応状況の一括変更 (G5-3): the bulk kind that moves order statuses and never money."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from django.http import QueryDict

from orders import changes, status_guards
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import (
    Choices,
    DateChoice,
    Ending,
    FollowChoice,
    InvalidParameters,
    Notice,
    Ready,
    Result,
    Row,
    Skip,
    Task,
    Verdict,
)
from orders.models import Order, PaymentMethod
from orders.statuses import OPERATOR_MOVES, OrderStatus

# Sentences about one order begin with its number; a sentence about many orders must not.
_ANY_NUMBER = "(各受注)"
_ABOUT_ONE = re.compile(rf"^注文番号 {re.escape(_ANY_NUMBER)}(?:: *| は、?)")


class StatusFacts(NamedTuple):
    """What a status change and its warnings depend on; orders with equal facts get the same verdict."""

    status: int
    payment_method: PaymentMethod
    payment_provider: str
    payment_kind: str
    payment_status: str
    payment_is_open: bool
    has_payment: bool
    is_subscription: bool

    @classmethod
    def of(cls, order: Order, methods: Mapping[int, PaymentMethod]) -> StatusFacts:
        """The facts of an order that was read with _FIELDS."""
        return cls(
            status=order.status,
            payment_method=methods[order.payment_method_id],
            payment_provider=order.payment_provider,
            payment_kind=order.payment_kind,
            payment_status=order.payment_status,
            payment_is_open=order.payment_is_open,
            has_payment=order.payment_id is not None,
            is_subscription=order.is_subscription,
        )

    def as_order(self) -> Order:
        """An order that stands for all with these facts; never saved."""
        return Order(
            number=_ANY_NUMBER,
            status=self.status,
            payment_method=self.payment_method,
            payment_method_name=self.payment_method.name,
            payment_id=0 if self.has_payment else None,
            payment_provider=self.payment_provider,
            payment_kind=self.payment_kind,
            payment_status=self.payment_status,
            payment_is_open=self.payment_is_open,
            is_subscription=self.is_subscription,
        )


_FIELDS = (
    "status",
    "payment_method_id",
    "payment_provider",
    "payment_kind",
    "payment_status",
    "payment_is_open",
    "payment_id",
    "payment_total",
    "is_subscription",
)


class OrderStatusKind:
    """Changes the order status of each row, with stock, points and dates as a single change would."""

    code = "order_status"
    label = "対応状況の変更"
    word = "対応状況の変更"
    permission = "orders.change_order"
    is_atomic: Literal[True] = True
    # Stock and points of one product serialise anyway; a few workers hide the round trips.
    concurrency = 4

    def parse(self, posted: QueryDict) -> dict[str, Any]:
        """`to`: the status that all rows shall have."""
        choices = {str(status.value) for moves in OPERATOR_MOVES.values() for status in moves}
        to = str(posted.get("to", ""))
        if to not in choices:
            raise InvalidParameters("変更後の対応状況を選択してください。")
        return {"to": int(to)}

    def title(self, parameters: Mapping[str, Any]) -> str:
        return f"対応状況を「{OrderStatus(parameters['to']).label}」に変更"

    def notices(self, run: BulkRun) -> Sequence[Notice]:
        """What operators get wrong about this act: it does not touch the payment."""
        return (
            Notice(
                text="変更されるのは対応状況だけです。決済(売上・取消・返品)は行われません。"
                "決済の操作は、決済状況一覧または受注編集から行ってください。"
            ),
            Notice(text="お客様へメールは送信されません。"),
        )

    def follow_choice(self, run: BulkRun) -> FollowChoice | None:
        return None

    def date_choice(self, run: BulkRun) -> DateChoice | None:
        return None

    def choices(self, parameters: Mapping[str, Any]) -> Choices | None:
        return None

    def rows(self, run: BulkRun) -> Iterable[Row]:
        """Every row with its order's facts: two queries."""
        methods = PaymentMethod.objects.in_bulk()
        items = BulkItem.objects.filter(run=run).order_by("id").select_related("order")
        for item in items.only("id", *(f"order__{name}" for name in _FIELDS)).iterator(chunk_size=2000):
            yield Row(
                item_id=item.pk, facts=StatusFacts.of(item.order, methods), amount=item.order.payment_total
            )

    def judge(self, facts: StatusFacts, parameters: Mapping[str, Any], now: datetime) -> Verdict:
        """Illegal moves are skipped with the reason; warnings (CC-8 and others) go with the row."""
        order, to = facts.as_order(), OrderStatus(parameters["to"])
        if reason := changes.check_status(order, to):
            return Skip(reason=_ABOUT_ONE.sub("", reason))
        before = OrderStatus(facts.status)
        warnings = tuple(_ABOUT_ONE.sub("", warning) for warning in status_guards.warnings(order, to))
        digest = hashlib.sha256("\n".join(warnings).encode()).hexdigest()[:12]
        return Ready(
            group=f"{before.label} → {to.label}",
            words=f"{before.label} → {to.label}",
            shown=f"{before.value}>{to.value}:{digest}",
            warnings=warnings,
        )

    def execute(self, task: Task, now: datetime) -> Result:
        """Lock the order, decide again, change. Runs in the transaction that writes the row's result."""
        order = Order.objects.select_for_update().only(*_FIELDS).get(pk=task.order_id)
        to = OrderStatus(task.parameters["to"])
        facts = StatusFacts.of(order, {order.payment_method_id: order.payment_method})
        verdict = self.judge(facts, task.parameters, now)
        if isinstance(verdict, Skip) or verdict.shown != task.shown:
            return Result(ending=Ending.RECHECK, message=_what_changed(order, task, verdict))
        changed = changes.change_status(
            order_id=task.order_id,
            to=to,
            actor=task.actor,
            actor_name=task.actor_name,
            source="一括操作",
            ip=task.ip_address,
            now=now,
        )
        if isinstance(changed, changes.StatusRefused):
            return Result(ending=Ending.FAILED, message=changed.reason)
        return Result(ending=Ending.SUCCEEDED, message=verdict.words)


def _what_changed(order: Order, task: Task, verdict: Verdict) -> str:
    before = OrderStatus(int(task.shown.split(">")[0]))
    if order.status != before:
        return (
            f"確認時の対応状況は「{before.label}」でしたが、「{OrderStatus(order.status).label}」に"
            "変わっていたため、変更していません。"
        )
    if isinstance(verdict, Skip):
        return f"確認後に条件が変わったため、変更していません。{verdict.reason}"
    return "確認後に決済の状況が変わったため、変更していません。もう一度確認してください。"
