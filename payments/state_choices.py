"""The check boxes 決済状況 of lists that do not know payments."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from payments.labels import LIST_STATES
from payments.provider_lists import ProviderList


class StateChoice(NamedTuple):
    """One check box; `value` joins its statuses by commas, `checked`: all of them are chosen."""

    label: str
    value: str
    checked: bool


def payment_states(chosen: Collection[str], listed: ProviderList | None = None) -> tuple[StateChoice, ...]:
    """The states of a provider's own list, otherwise of G5-10."""
    return tuple(
        StateChoice(
            label,
            ",".join(status.value for status in statuses),
            checked=all(status.value in chosen for status in statuses),
        )
        for label, statuses in (listed.list_states if listed else LIST_STATES)
    )
