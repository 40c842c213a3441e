"""The one interface between the back office and a payment provider.

An adapter is stateless: it turns a request into telegrams and the answers into an outcome. It never raises
for business results, it never repeats a call that may have moved money, and it writes every telegram into
the journal before the bytes leave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from gateways.outcomes import Approved, Declined, InquiryOutcome, NotSent, Outcome, Refused, Trade, Unknown
from gateways.vocabulary import Action, CancelType, MethodKind, PaymentStatus

# What an authorization, a change or a reauthorization ends as: a hold, or a charge at once.
Target: TypeAlias = Literal[PaymentStatus.AUTH, PaymentStatus.CAPTURE]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What the provider can do. Screens and services read this, never a provider's name."""

    actions: frozenset[Action]
    # Capture and cancel carry a processing date that the operator chooses.
    needs_date: bool = False
    # An amount change turns a 3-D Secure payment into one without (requirement PG-8).
    loses_3ds: bool = False
    # The provider reports expired authorizations; otherwise our day count is only a guess.
    reports_expiry: bool = False
    inquiry_has_amount: bool = True
    # An answer "no such trade" proves that an authorization never arrived.
    not_found_is_proof: bool = True
    max_amount: int = 9_999_999
    # Where a kind of payment has a limit of its own (yen).
    max_amount_by_kind: Mapping[MethodKind, int] = field(default_factory=dict, hash=False)
    # Convenience stores that a customer may choose: the provider's code and the chain's name.
    stores: Mapping[str, str] = field(default_factory=dict, hash=False)
    # The longest that one verb may wait for answers (seconds, all its telegrams together).
    longest_call_seconds: int = 200
    # Our name for the number by which the provider addresses a trade, as kept in Payment.references, and its shape
    # (a regular expression): a person may have to type it. Empty where every trade can be asked for by our own.
    trace_key: str = ""
    trace_pattern: str = ""
    # Actions made of several telegrams that may be called again with a journal that remembers progress.
    resumes: frozenset[Action] = frozenset()


@dataclass(frozen=True, kw_only=True)
class PaymentReference:
    """Which payment: our id at the provider, and what the provider gave us to address it."""

    order_id: str
    kind: MethodKind = MethodKind.CARD
    status: PaymentStatus = PaymentStatus.UNPROCESSED
    amount: int = 0
    # In how many parts the customer pays; 1 = lump sum.
    installments: int = 1
    references: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class CardToken:
    """A one-time token made in the customer's browser. Card numbers never enter this process.

    `keep_for` names the member for whom the provider is to keep the card (CC-7), where it does so with the payment.
    """

    token: str = field(repr=False)
    keep_for: str = ""


@dataclass(frozen=True, kw_only=True)
class StoredCard:
    """A card kept at the provider under a member."""

    member_id: str
    card_seq: str


CardSource: TypeAlias = CardToken | StoredCard


@dataclass(frozen=True, kw_only=True)
class AuthorizeRequest:
    """Authorize (AUTH) or sell at once (CAPTURE). `amount` in yen; `installments` 1 = lump sum."""

    amount: int
    target: Target
    card: CardSource
    installments: int = 1


@dataclass(frozen=True, kw_only=True)
class Payer:
    """Who pays without a card, as the provider prints it. `store` is one of Capabilities.stores (コンビニ only).

    `return_url` is where the payer's own pages lead back to (carriers and 楽天ペイ only).
    """

    name: str
    kana: str
    phone: str
    email: str = ""
    store: str = ""
    return_url: str = ""


@dataclass(frozen=True, kw_only=True)
class PaymentRequest:
    """Begin a payment that the customer makes elsewhere. `amount` in yen; `target` is what an agreement ends as."""

    amount: int
    target: Target
    payer: Payer


@dataclass(frozen=True, kw_only=True)
class CaptureRequest:
    """Capture the whole authorized amount (yen); `on` only where the provider needs a date."""

    amount: int
    on: date | None = None


@dataclass(frozen=True, kw_only=True)
class CancelRequest:
    """Cancel with the type that the rule decided on; `on` only where the provider needs a date."""

    cancel_type: CancelType
    on: date | None = None


@dataclass(frozen=True, kw_only=True)
class ChangeAmountRequest:
    """Change to a new total in yen, ending as a hold or a charge."""

    amount: int
    target: Target


@dataclass(frozen=True, kw_only=True)
class ReauthorizeRequest:
    """Authorize a cancelled payment again with the card it was made with."""

    amount: int
    target: Target


class Journal(Protocol):
    """Where an adapter writes what it does, durably, before and after each telegram.

    `sending` is called before any byte leaves, `answered` after; texts are masked already.
    `remember` persists what the next step of a multi-step action needs; `progress` reads it back.
    """

    @property
    def progress(self) -> Mapping[str, str]: ...

    def sending(self, *, call: str, request: str) -> int: ...

    def answered(self, handle: int, *, summary: str, response: str, duration_ms: int) -> None: ...

    def remember(self, **progress: str) -> None: ...


class Gateway(Protocol):
    """One provider account. Every verb returns an outcome; none raises for a business result."""

    capabilities: Capabilities

    def authorize(
        self, payment: PaymentReference, request: AuthorizeRequest, journal: Journal
    ) -> Outcome: ...

    def capture(self, payment: PaymentReference, request: CaptureRequest, journal: Journal) -> Outcome: ...

    def cancel(self, payment: PaymentReference, request: CancelRequest, journal: Journal) -> Outcome: ...

    def change_amount(
        self, payment: PaymentReference, request: ChangeAmountRequest, journal: Journal
    ) -> Outcome: ...

    def reauthorize(
        self, payment: PaymentReference, request: ReauthorizeRequest, journal: Journal
    ) -> Outcome: ...

    def inquire(self, payment: PaymentReference, journal: Journal) -> InquiryOutcome: ...


@dataclass(frozen=True, kw_only=True)
class Lost:
    """A telegram that may have made a trade, and of which no inquiry can tell: what was wished for (yen), and what
    the journal remembers of it."""

    action: Action
    amount: int
    progress: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Traced:
    """The trade is the lost one. Remembering `progress`, the action is asked about, or goes on, from there."""

    trade: Trade
    progress: Mapping[str, str]


@runtime_checkable
class Tracing(Protocol):
    """A gateway where a lost trade may have to be looked up by a person on the provider's own screen."""

    def known_as(self, payment: PaymentReference, lost: Lost) -> str:
        """Our own number of the lost trade, as that screen shows it."""
        ...

    def trace(
        self, payment: PaymentReference, lost: Lost, trade_id: str, journal: Journal
    ) -> Traced | Refused | NotSent | Unknown:
        """Ask about the provider's number that the person has read there. Only Traced is the lost trade; moves no
        money."""
        ...


@runtime_checkable
class TakesRequests(Protocol):
    """A gateway with other kinds of payment than cards. Approved means: the customer can now pay."""

    def request_payment(
        self, payment: PaymentReference, request: PaymentRequest, journal: Journal
    ) -> Outcome: ...


class KeptCard(Protocol):
    """A card on file. `number` is masked by the provider; `expire` is YYMM, empty where it was not told."""

    @property
    def card_seq(self) -> str: ...

    @property
    def number(self) -> str: ...

    @property
    def expire(self) -> str: ...


CardFileFailure: TypeAlias = Declined | Refused | NotSent | Unknown


class CardFile(Protocol):
    """The cards that a provider keeps for the members of the shop (CC-7). No call here moves money."""

    def kept(self, *, member_id: str, journal: Journal) -> Sequence[KeptCard] | CardFileFailure: ...

    def forget(self, *, member_id: str, card_seq: str, journal: Journal) -> Approved | CardFileFailure: ...


@runtime_checkable
class KeepsTraded(Protocol):
    """A card file that keeps the card of a finished trade; the others keep it with the payment (CardToken)."""

    def keep_traded(
        self, *, member_id: str, order_id: str, journal: Journal
    ) -> KeptCard | CardFileFailure: ...
