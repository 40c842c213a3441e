"""What an operator has selected in a list: ticked rows, or all that match its search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import QuerySet
from django.http import QueryDict

from orders import listing
from orders.filters import OrderFilters
from orders.models import Order


class SelectionError(ValueError):
    """The selection cannot be used; the message is for the operator."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Ticked order ids, or all that match a list's query string."""

    order_ids: Sequence[int] = ()
    query: str = ""
    all_that_match: bool = False

    @classmethod
    def from_post(cls, posted: QueryDict) -> Selection:
        """Read `scope` (ticked or all), `order` and `query`, as the lists' forms send them."""
        if posted.get("scope") == "all":
            return cls(query=posted.get("query", ""), all_that_match=True)
        ids = (
            int(text)
            for text in posted.getlist("order")
            if text.isascii() and text.isdecimal() and len(text) < 19
        )
        return cls(order_ids=tuple(dict.fromkeys(ids)))

    @cached_property
    def filters(self) -> OrderFilters:
        """The conditions of the query string; none for ticked rows."""
        return OrderFilters.from_query(QueryDict(self.query))

    @property
    def oldest_first(self) -> bool:
        """Whether the list that was looked at began with the oldest order."""
        return self.all_that_match and self.filters.sort == "oldest"


def rows_of(selection: Selection) -> QuerySet[Order]:
    """The selected orders, unsorted. Raises SelectionError for conditions that cannot be read."""
    if not selection.all_that_match:
        return Order.objects.filter(pk__in=selection.order_ids)
    if selection.filters.errors:
        raise SelectionError("検索条件に誤りがあります。一覧に戻り、条件を確認してください。")
    return listing.queryset(selection.filters)
