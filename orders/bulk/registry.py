"""What a kind of bulk act gives to the engine, and the list of kinds that exist."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias
from uuid import UUID

from django.contrib.auth.models import User
from django.http import QueryDict

from orders.bulk.models import BulkRun


@dataclass(frozen=True, kw_only=True)
class Row:
    """One frozen row with all that its verdict depends on. Equal facts get the same verdict."""

    item_id: int
    facts: Hashable
    amount: int | None
    payment_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Ready:
    """The row will be executed. `group` heads it in the preview, `words` say what happens to this row.

    `shown` is the decision's fingerprint: the row is executed only while the decision still has it. `word` is what
    the act on this order is called in its result, where that is not the kind's own. `confirmation` is a sentence that
    must be ticked on its own before the run starts.
    """

    group: str
    words: str
    shown: str
    word: str = ""
    customer_sees: str = ""
    warnings: tuple[str, ...] = ()
    confirmation: str = ""


@dataclass(frozen=True, kw_only=True)
class Skip:
    """The row is left out, and this is why, as a sentence; `words` where a row has details of its own."""

    reason: str
    words: str = ""


Verdict: TypeAlias = Ready | Skip


class Ending(StrEnum):
    """How executing a row ended. NOT_SENT: nothing left the machine, so that it may be tried again."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    RECHECK = "recheck"
    NOT_SENT = "not_sent"


@dataclass(frozen=True, kw_only=True)
class Result:
    """The ending with its message for the operator: for a success one sentence, then remarks if there are any."""

    ending: Ending
    message: str


@dataclass(frozen=True, kw_only=True)
class Task:
    """One claimed row, ready to be executed. `key` is the same for every repeat of the same try."""

    order_id: int
    payment_id: int | None
    shown: str
    key: UUID
    parameters: Mapping[str, Any]
    follow: bool
    actor: User | None
    actor_name: str
    ip_address: str | None


@dataclass(frozen=True, kw_only=True)
class FollowChoice:
    """The check box 対応状況を…にする: its text, and whether the shop wants it ticked."""

    label: str
    is_default: bool


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One value that the operator may still choose for a parameter on the preview page."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class Choices:
    """A parameter that may be chosen anew: `name` as `parse` reads it, `label` for the operator."""

    name: str
    label: str
    values: tuple[Choice, ...]


@dataclass(frozen=True, kw_only=True)
class DateChoice:
    """A day that holds for the whole run and may be chosen anew: `name` as `parse` reads it, `help` for whom."""

    name: str
    label: str
    day: date
    help: str


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A sentence above the preview. `is_warning` when the operator should stop and think.

    `details` is longer text to unfold, such as a mail as it will be sent.
    """

    text: str
    is_warning: bool = False
    details: str = ""


class EndedMeanwhile(Exception):
    """Somebody else has ended one of the rows that were to be written down together: each is looked at alone."""


class InvalidParameters(ValueError):
    """The parameters of a kind make no sense; the message is for the operator."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A row that was written down as begun and may be sent; `handle` is what its kind needs to go on."""

    key: UUID
    handle: Any = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A row whose answer is in and still has to be written down; `handle` as in Begun."""

    key: UUID
    handle: Any = field(repr=False)


class _Kind(Protocol):
    """What every kind of act has."""

    @property
    def code(self) -> str: ...

    @property
    def label(self) -> str:
        """The act's name in lists, such as 一括売上."""
        ...

    @property
    def word(self) -> str:
        """The act on one order, such as 売上: it is followed by 成功 or 失敗."""
        ...

    @property
    def permission(self) -> str: ...

    @property
    def concurrency(self) -> int:
        """How many rows of one run are executed at the same time."""
        ...

    def parse(self, posted: QueryDict) -> dict[str, Any]:
        """The parameters from the list's form, ready for JSON. Raises InvalidParameters."""
        ...

    def title(self, parameters: Mapping[str, Any]) -> str:
        """The act with its parameters, such as 対応状況を「発送済み」に変更."""
        ...

    def notices(self, run: BulkRun) -> Sequence[Notice]: ...

    def follow_choice(self, run: BulkRun) -> FollowChoice | None: ...

    def choices(self, parameters: Mapping[str, Any]) -> Choices | None: ...

    def date_choice(self, run: BulkRun) -> DateChoice | None:
        """The day of the run, where some of its rows need one."""
        ...

    def rows(self, run: BulkRun) -> Iterable[Row]:
        """Every frozen row of the run with its facts, in a number of queries that does not grow with it."""
        ...

    def judge(self, facts: Any, parameters: Mapping[str, Any], now: datetime) -> Verdict:
        """The verdict for all rows with these facts. No query."""
        ...


class AtomicKind(_Kind, Protocol):
    """A kind that writes only to our own database: its work and the row's result are one transaction."""

    @property
    def is_atomic(self) -> Literal[True]: ...

    def execute(self, task: Task, now: datetime) -> Result: ...


class SendingKind(_Kind, Protocol):
    """A kind that goes out to a provider: begin many rows, send each on its own, write many answers down."""

    @property
    def is_atomic(self) -> Literal[False]: ...

    def begin(self, tasks: Sequence[Task], now: datetime) -> Mapping[UUID, Begun | Result]:
        """Decide each row again and write down what is about to be sent, by key. Runs in a transaction.

        May raise IntegrityError for several rows; one alone never does.
        """
        ...

    def send(self, begun: Begun) -> Answered | Result:
        """Send one row, in any thread; no transaction is open. A Result is written down already."""
        ...

    def give_back(self, begun: Begun, reason: str) -> Result:
        """Write down that a begun row is not sent after all, and why."""
        ...

    def settle(self, answered: Sequence[Answered], now: datetime) -> Mapping[UUID, Result]:
        """Write many answers down. Runs in a transaction; where it raises, each is settled alone."""
        ...

    def settle_alone(self, answered: Answered) -> Result:
        """Write one answer down, in transactions of its own."""
        ...

    def known_results(self, keys: Sequence[UUID]) -> Mapping[UUID, Result]:
        """What is known of tries that were begun, by key; a key that is missing was never begun."""
        ...


BulkKind: TypeAlias = AtomicKind | SendingKind


@dataclass
class Registry:
    """The kinds by code. Filled by the apps when they are ready."""

    kinds: dict[str, BulkKind] = field(default_factory=dict)

    def register(self, kind: BulkKind) -> None:
        """Add a kind; the same code twice is a programming error."""
        if kind.code in self.kinds:
            raise ValueError(f"bulk kind {kind.code} is registered twice")
        self.kinds[kind.code] = kind

    def get(self, code: str) -> BulkKind | None:
        """The kind, or None for a code that nobody registered."""
        return self.kinds.get(code)

    def __getitem__(self, code: str) -> BulkKind:
        return self.kinds[code]


registry = Registry()
