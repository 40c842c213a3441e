"""The answer of a decision: a permit with its steps and words, or a refusal with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from gateways.vocabulary import Action, CancelType, PaymentStatus
from payments.steps import Step

# CC-9: a differing amount is changed first, or the old amount is captured; never silently.
CaptureMode: TypeAlias = Literal["change_first", "as_is"]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the operator may choose: the status a change or reauthorization ends as, how a differing amount is
    captured, and the processing date where the provider needs one (None = today)."""

    target: PaymentStatus | None = None
    mode: CaptureMode | None = None
    on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Permit:
    """It may be done, and this is what will happen.

    `words` say it to the operator, `customer_sees` what the customer will notice. `second_confirmation` must be
    confirmed on its own; `bulk_skip` says why a bulk run leaves the row to a person. `fingerprint` identifies
    the decision: what was confirmed is executed only while it is still the decision.
    """

    action: Action
    steps: tuple[Step, ...]
    words: str
    customer_sees: str
    warnings: tuple[str, ...] = ()
    second_confirmation: str = ""
    bulk_skip: str = ""

    @property
    def result(self) -> PaymentStatus:
        """The payment's status after the last step."""
        return self.steps[-1].result

    @property
    def amount(self) -> int:
        """The amount in yen that the last step is about."""
        return self.steps[-1].amount

    @property
    def cancel_type(self) -> CancelType | None:
        """The cancel type of the first step, where it is a cancel."""
        return self.steps[0].cancel_type

    @property
    def fingerprint(self) -> str:
        """The decision as one string: the steps with their cancel types, results, amounts and dates."""
        return "|".join(step.fingerprint for step in self.steps)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """It may not be done. `code` for programs, `reason` for the operator."""

    code: str
    reason: str


Decision: TypeAlias = Permit | Refusal
