"""What is looked for in the search texts, and the conditions that this makes in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from orders.search_text import SearchField

# The indexes of the texts, by the functions of the database that they are made by: pieces of three characters, pieces
# of one and two, and pieces of one and two with the number of their field before them (migrations 0003, 0019).
LONG: Final = "orders_long_grams"
SHORT: Final = "orders_short_grams"
IN_FIELD: Final = "orders_field_grams"


@dataclass(frozen=True)
class Terms:
    """What must all be found: parts anywhere in the text, and parts within one field."""

    anywhere: tuple[str, ...] = ()
    within: tuple[tuple[SearchField, str], ...] = ()
    # The order's date, the end excluded; None is no bound.
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        assert all(field != SearchField.NUMBER for field, _ in self.within), "orders have a column for it"

    def __bool__(self) -> bool:
        return bool(self.anywhere or self.within)

    @property
    def parts(self) -> tuple[str, ...]:
        """Every part, wherever it is looked for."""
        return (*self.anywhere, *(part for _field, part in self.within))


def grams_of(terms: Terms) -> dict[str, list[str]]:
    """What every match has in which index, by its function.

    Beside a part of three characters or more a single character is left to reading the texts that this finds:
    PostgreSQL would compute the short grams of each of them.
    """
    long = {gram for part in terms.anywhere if len(part) >= 3 for gram in _cover(part, 3)}
    short = {part for part in terms.anywhere if len(part) == 2 or (len(part) == 1 and not long)}
    in_field = {f"{int(field)}{gram}" for field, part in terms.within for gram in _cover(part, 2)}
    return _given({LONG: long, SHORT: short, IN_FIELD: in_field})


def grams_of_whole_texts(terms: Terms) -> dict[str, list[str]]:
    """The same without the index of fields: three characters in the whole text may be rarer than two in their field.
    Empty where no part within a field has three."""
    long = {gram for _field, part in terms.within if len(part) >= 3 for gram in _cover(part, 3)}
    if not long:
        return {}
    grams = grams_of(Terms(anywhere=terms.anywhere))
    return grams | {LONG: sorted(long.union(grams.get(LONG, ())))}


def _given(grams: dict[str, set[str]]) -> dict[str, list[str]]:
    return {function: sorted(pieces) for function, pieces in grams.items() if pieces}


def _cover(part: str, length: int) -> set[str]:
    """Pieces that together hold every character of a part: the index meets a list for each of them, and what stands
    where is read in the text anyway. The part itself when it is shorter."""
    last = max(len(part) - length, 0)
    return {part[start : start + length] for start in (*range(0, last, length), last)}


def unsaid_by(asked: dict[str, list[str]], terms: Terms) -> Terms:
    """What grams that were asked for leave to be read: a part that is a gram stands where the gram stands."""
    said = {*asked.get(LONG, ()), *asked.get(SHORT, ())}
    said_of_field = set(asked.get(IN_FIELD, ()))
    return Terms(
        anywhere=tuple(part for part in terms.anywhere if part not in said),
        within=tuple(
            (field, part) for field, part in terms.within if f"{int(field)}{part}" not in said_of_field
        ),
    )


def likes(terms: Terms) -> tuple[str, list[Any]]:
    """A condition on `text` that reads every character, and its parameters."""
    conditions = ["text LIKE %s"] * len(terms.anywhere)
    parameters: list[Any] = [_pattern(part) for part in terms.anywhere]
    for field, part in terms.within:
        conditions.append(f"split_part(text, E'\\x1f', {int(field)}) LIKE %s")
        parameters.append(_pattern(part))
    return " AND ".join(conditions) or "true", parameters


def _pattern(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


def position(beyond: tuple[datetime, int] | None, oldest_first: bool) -> tuple[str, Sequence[Any], str]:
    """The condition "beyond the key" with its parameters, and the order of the screen."""
    order = "ordered_at, order_id" if oldest_first else "ordered_at DESC, order_id DESC"
    if beyond is None:
        return "true", (), order
    return f"(ordered_at, order_id) {'>' if oldest_first else '<'} (%s, %s)", beyond, order


def span(terms: Terms) -> tuple[str, list[Any]]:
    """The condition "between the days" with its parameters."""
    conditions = [("ordered_at >= %s", terms.since), ("ordered_at < %s", terms.until)]
    given = [(condition, bound) for condition, bound in conditions if bound is not None]
    return " AND ".join(condition for condition, _ in given) or "true", [bound for _, bound in given]


def said_by(function: str, terms: Terms, *, of_whole_texts: bool) -> Terms:
    """The parts that an index speaks of; `of_whole_texts`, those within a field too."""
    if function == IN_FIELD:
        return Terms(within=terms.within)
    parts = terms.parts if of_whole_texts else terms.anywhere
    return Terms(anywhere=tuple(part for part in parts if (len(part) >= 3) == (function == LONG)))


def named_sql(asked: dict[str, list[str]]) -> tuple[str, list[Any]]:
    """SELECT of ids and dates by grams alone, which in a text may stand apart; with its parameters."""
    where = " AND ".join(f"{function}(text) @> %s::text[]" for function in asked)
    sql = f"SELECT order_id, ordered_at FROM orders_ordersearch WHERE {where}"  # noqa: S608
    return sql, list(asked.values())


def by_grams_sql(terms: Terms, asked: dict[str, list[str]], *, limit: int | None) -> tuple[str, list[Any]]:
    """SELECT of up to `limit` matching ids and their dates in no order, found by the grams that are `asked` for."""
    matches, like_parameters = likes(unsaid_by(asked, terms))
    between, span_parameters = span(terms)
    sql, parameters = named_sql(asked)
    return (
        f"{sql} AND {matches} AND {between} LIMIT %s",
        [*parameters, *like_parameters, *span_parameters, limit],
    )


def by_reading_sql(terms: Terms) -> tuple[str, list[Any]]:
    """SELECT of all matching ids and their dates without the grams: for what so many texts hold that PostgreSQL would
    read them all, and compute the grams of each."""
    matches, parameters = likes(terms)
    between, span_parameters = span(terms)
    sql = f"SELECT order_id, ordered_at FROM orders_ordersearch WHERE {matches} AND {between}"  # noqa: S608
    return sql, [*parameters, *span_parameters]


def newest_sql(terms: Terms, *, rows: int | None) -> tuple[str, list[Any]]:
    """SELECT of so many of the newest orders (None: of all), and whether each is a `hit`; from one index, which holds
    the texts too."""
    matches, parameters = likes(terms)
    between, span_parameters = span(terms)
    sql = f"""
        SELECT order_id, {matches} AS hit FROM orders_ordersearch WHERE {between}
        ORDER BY ordered_at DESC, order_id DESC LIMIT %s
    """  # noqa: S608
    return sql, [*parameters, *span_parameters, rows]
