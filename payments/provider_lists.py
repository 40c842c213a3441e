"""The payment lists that a provider's operators know from its own manual: a table of lists and their columns.

A provider that is not in the table has no list of its own; its payments stand in 決済状況一覧 like all others.
Source: PG-1, PG-2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from gateways.vocabulary import Action
from gateways.vocabulary import PaymentStatus as S
from payments import gates, labels
from payments.facts import Facts
from payments.permits import Refusal


@dataclass(frozen=True, kw_only=True)
class TickColumn:
    """A column of boxes with its own 実行. `words`: what stands beside a box, by the payment's status."""

    action: Action
    heading: str
    words: Mapping[S, str]

    @property
    def code(self) -> str:
        """The kind of bulk run that the column starts."""
        return self.action.value


@dataclass(frozen=True, kw_only=True)
class ProviderList:
    """One provider's list: its words, the states to search for, its columns of boxes."""

    provider: str
    title: str
    state_heading: str
    states: tuple[S, ...]
    columns: tuple[TickColumn, ...]

    @property
    def list_states(self) -> tuple[tuple[str, tuple[S, ...]], ...]:
        """The states with the provider's words; statuses with one word share a box."""
        by_word: dict[str, tuple[S, ...]] = {}
        for status in self.states:
            word = labels.status_label(self.provider, status)
            by_word[word] = (*by_word.get(word, ()), status)
        return tuple(by_word.items())


@dataclass(frozen=True, kw_only=True)
class Tick:
    """The cell of a row in a column of boxes; without a word the payment's state allows no box."""

    code: str
    word: str


LISTS: Mapping[str, ProviderList] = MappingProxyType(
    {
        "paygent": ProviderList(
            provider="paygent",
            title="ペイジェント決済状況一覧",
            state_heading="ペイジェント状況",
            states=(
                S.UNPROCESSED,
                S.PAYFAIL,
                S.AUTH,
                S.SALES,
                S.CAPTURE,
                S.VOID,
                S.RETURN,
                S.EXPIRED,
                S.EXCEPTION,
            ),
            columns=(
                TickColumn(
                    action=Action.CHANGE_AMOUNT,
                    heading="オーソリ・売上変更",
                    words=labels.AMOUNT_CHANGES["paygent"],
                ),
                TickColumn(
                    action=Action.CAPTURE, heading="一括売上", words=MappingProxyType({S.AUTH: "売上"})
                ),
                TickColumn(
                    action=Action.CANCEL,
                    heading="一括取消",
                    words=MappingProxyType({S.AUTH: "取消", S.SALES: "取消", S.CAPTURE: "取消"}),
                ),
            ),
        ),
    }
)


def ticks(listed: ProviderList, facts: Facts | None, now: datetime) -> tuple[Tick, ...]:
    """The cells of one row: a box where table and deadlines let the state take the action.

    Whether this order then really is captured or changed (amounts, 対応状況) the preview says, with the reason.
    """
    return tuple(
        Tick(code=column.code, word=_word(column, facts, now) if facts else "") for column in listed.columns
    )


def _word(column: TickColumn, facts: Facts, now: datetime) -> str:
    if isinstance(gates.admit(column.action, facts, now, target=None), Refusal):
        return ""
    return column.words[facts.status]
