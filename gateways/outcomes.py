"""What can come of a call to a provider: five outcomes for money, and two more answers for a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from gateways.vocabulary import PaymentStatus


@dataclass(frozen=True, kw_only=True)
class Trade:
    """A payment as the provider describes it. None and empty mean: the provider did not say.

    Amounts are yen; times are aware. `processed_at` is the time of the last operation on the trade.
    `references` may be shown and logged; `secrets` (access passes) are kept encrypted only.
    """

    status: PaymentStatus | None = None
    amount: int | None = None
    processed_at: datetime | None = None
    authorized_at: datetime | None = None
    captured_at: datetime | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


class ReasonKind(StrEnum):
    """Why it did not work, in a vocabulary that all providers share."""

    CARD_REFUSED = "card_refused"
    CARD_DATA_WRONG = "card_data_wrong"
    WRONG_STATE = "wrong_state"
    TOO_LATE = "too_late"
    TOO_EARLY = "too_early"
    AMOUNT_MISMATCH = "amount_mismatch"
    NOT_FOUND = "not_found"
    # Whether there is such a trade cannot be asked, or is not answered: a person has to look.
    NOT_TOLD = "not_told"
    ALREADY_DONE = "already_done"
    BUSY = "busy"
    OUR_REQUEST = "our_request"
    CREDENTIALS = "credentials"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    UNREADABLE = "unreadable"
    PROVIDER_TROUBLE = "provider_trouble"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why, for a person: the shared kind, the provider's own code, and a Japanese sentence."""

    kind: ReasonKind
    code: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Approved:
    """The provider did it and said so."""

    trade: Trade


@dataclass(frozen=True, kw_only=True)
class Declined:
    """The card company or the provider said no to the customer's payment; nothing was taken."""

    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The provider would not do this now (wrong state, too late, our mistake); nothing changed."""

    reason: Reason


@dataclass(frozen=True, kw_only=True)
class NotSent:
    """Nothing left the machine, or the provider says that it started nothing. Safe to ask for again."""

    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """It may or may not have happened. Only asking can tell; never to be repeated blindly."""

    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Found:
    """The answer to an inquiry: the trade as it stands."""

    trade: Trade


@dataclass(frozen=True, kw_only=True)
class NotFound:
    """The answer to an inquiry: the provider knows no such trade (a code that says exactly this)."""

    reason: Reason


Outcome: TypeAlias = Approved | Declined | Refused | NotSent | Unknown
InquiryOutcome: TypeAlias = Found | NotFound | NotSent | Unknown
