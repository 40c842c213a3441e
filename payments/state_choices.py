"""The check boxes 決済状況 of lists that do not know payments."""

from __future__ import annotations

from collections.abc import Collection

from payments.labels import LIST_STATES
from payments.provider_lists import ProviderList


def payment_states(chosen: Collection[str], listed: ProviderList | None = None) -> list[dict[str, object]]:
    """The states of a provider's own list, otherwise of G5-10: label, value (statuses joined by commas), and
    whether all of them are chosen."""
    return [
        {
            "label": label,
            "value": ",".join(status.value for status in statuses),
            "checked": all(status.value in chosen for status in statuses),
        }
        for label, statuses in (listed.list_states if listed else LIST_STATES)
    ]
