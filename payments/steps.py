"""The steps of an operation: what will be asked of the provider, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from gateways.vocabulary import Action, CancelType, PaymentStatus


@dataclass(frozen=True, kw_only=True)
class Step:
    """One wish to the provider: the action, and the status and amount (yen) the trade has afterwards."""

    action: Action
    result: PaymentStatus
    amount: int
    cancel_type: CancelType | None = None
    # The processing date, where the provider needs one.
    on: date | None = None

    @property
    def fingerprint(self) -> str:
        """The step as one string, such as "cancel:RETURN:RETURN:3200"."""
        parts = [self.action.value, self.cancel_type or "", self.result.value, str(self.amount)]
        return ":".join(parts if self.on is None else [*parts, self.on.isoformat()])

    def to_json(self) -> dict[str, Any]:
        """As stored in Operation.plan."""
        return {
            "action": self.action.value,
            "result": self.result.value,
            "amount": self.amount,
            "cancel_type": self.cancel_type.value if self.cancel_type else "",
            "on": self.on.isoformat() if self.on else "",
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Step:
        """Back from Operation.plan."""
        return cls(
            action=Action(stored["action"]),
            result=PaymentStatus(stored["result"]),
            amount=stored["amount"],
            cancel_type=CancelType(stored["cancel_type"]) if stored["cancel_type"] else None,
            on=date.fromisoformat(stored["on"]) if stored["on"] else None,
        )
