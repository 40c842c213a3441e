"""The providers' ledgers and trades, sorted by our payments; and what our operations say should stand there."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gateways.vocabulary import Action, PaymentStatus
from payments.models import Operation, Payment
from payments.steps import Step
from tests.sandbox_server import SandboxHandle

# An executed movement: what the provider's ledger calls it, and yen.
Moved: TypeAlias = tuple[str, int]
SOLD = {PaymentStatus.SALES.value, PaymentStatus.CAPTURE.value}
# Paygent's states in our words; those that pass by themselves are not in the ledger.
PAYGENT = {
    "11": "PAYFAIL",
    "20": "AUTH",
    "32": "VOID",
    "33": "EXPIRED",
    "40": "SALES",
    "41": "SALES",
    "60": "RETURN",
}


@dataclass
class Books:
    """What the sandbox knows, by our 決済オーダーID."""

    executed: dict[str, Counter[Moved]] = field(default_factory=lambda: defaultdict(Counter))
    calls: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    trades: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    # Changed on the provider's own screen.
    touched: set[str] = field(default_factory=set)
    # Lines and trades that belong to no payment of ours.
    strangers: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, sandbox: SandboxHandle) -> Books:
        """Read everything once."""
        books = cls()
        ours = {}
        for provider, order_id in Payment.objects.values_list("account__provider", "provider_order_id"):
            ours[(provider, paygent_name(order_id) if provider == "paygent" else order_id)] = order_id

        def owner(provider: str, name: str) -> str | None:
            # A change of amount at Paygent makes a payment of its own, whose name begins like the first one's.
            return ours.get((provider, name)) or ours.get((provider, name.rpartition("_")[0]))

        for line in sandbox.ledger():
            known = owner(line["provider"], line["order_id"])
            if known is None:
                books.strangers.add(line["order_id"])
            elif line["source"] == "admin":
                books.touched.add(known)
            else:
                books.executed[known][(line["action"], line["amount"])] += 1
                books.calls[known][line["call"]] += 1
        for trade in sandbox.trades():
            known = owner(str(trade["provider"]), str(trade["order_id"]))
            if known is not None:
                books.trades[known].append(status_and_amount(trade))
        return books


def paygent_name(order_id: str) -> str:
    """How the first payment of an order is called there."""
    return re.sub(r"[^0-9A-Za-z]", "_", order_id)


def status_and_amount(trade: dict[str, Any]) -> dict[str, Any]:
    """A trade with our words for its status, and the amount that was moved last."""
    status, amount = str(trade["status"]), trade["amount"]
    if trade["provider"] == "paygent":
        status = PAYGENT.get(status, status)
    if trade["provider"] == "sbps" and status in ("SALES", "RETURN"):
        amount = trade["captured"]
    return {**trade, "status": status, "amount": amount}


@dataclass
class Asked:
    """What a payment's operations must have moved, and may have moved."""

    must: Counter[Moved] = field(default_factory=Counter)
    may: Counter[Moved] = field(default_factory=Counter)


def asked_for(payment: Payment, operations: list[Operation]) -> Asked:
    """From all operations of one payment, oldest first: each step as far as we say it was executed."""
    asked = Asked()
    provider = payment.account.provider
    before: tuple[str, int] = ("UNPROCESSED", 0)
    for operation in operations:
        if operation.action == Action.INQUIRE:
            continue
        if operation.step == 0:
            before = (operation.status_before, operation.amount_before)
        for position, stored in enumerate(operation.plan):
            step = Step.from_json(stored)
            whole = movements(provider, step, before)
            if operation.state == Operation.State.SUCCEEDED or position < operation.step:
                asked.must.update(whole)
                asked.may.update(whole)
                before = (step.result.value, step.amount)
            elif position == operation.step:
                undone = Counter(taken_back(provider, step))
                unclear = operation.state in (*Operation.OPEN_STATES, Operation.State.CONTRADICTED)
                asked.may.update(undone | Counter(whole) if unclear else undone)
    return asked


def movements(provider: str, step: Step, before: tuple[str, int]) -> list[Moved]:
    """The lines of one executed step. `before`: status and yen of the payment until then."""
    is_sold = step.result.value in SOLD
    if provider == "gmopg":
        return [(_gmopg_name(step), step.amount)]
    match step.action:
        case Action.CAPTURE:
            return [("SALES", step.amount)]
        case Action.CANCEL:
            return [(str(step.cancel_type), step.amount)]
        case Action.CHANGE_AMOUNT:
            # A new payment takes the old one's place.
            sale = [("SALES", step.amount)] if is_sold else []
            return [("AUTH", step.amount), *sale, ("RETURN" if before[0] in SOLD else "VOID", before[1])]
    sale_name = "SALES" if provider == "paygent" else "CAPTURE"
    return [("AUTH", step.amount), *([(sale_name, step.amount)] if is_sold else [])]


def taken_back(provider: str, step: Step) -> list[Moved]:
    """What a step that was given up may have held and freed: it took no money."""
    makes_a_hold = {"paygent": Action.CHANGE_AMOUNT, "sbps": Action.AUTHORIZE}
    if makes_a_hold.get(provider) is step.action:
        return [("AUTH", step.amount), ("VOID", step.amount)]
    return []


def _gmopg_name(step: Step) -> str:
    if step.action is Action.CAPTURE:
        return "SALES"
    if step.action is Action.CANCEL:
        return str(step.cancel_type)
    return "CHANGE" if step.action is Action.CHANGE_AMOUNT else step.result.value
