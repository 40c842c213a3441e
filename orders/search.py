"""Search over a million orders: one normalised text per order, character grams, and a window of the newest.

Both sides, text and term, are folded by the same function, so that width, case, kana, spaces and hyphens do
not matter. The gram functions live in the database (migration 0003) and are repeated here for terms.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import F, Func, QuerySet, TextField, Value

from orders.models import Order, OrderSearch
from orders.search_costs import EVERYWHERE

SEPARATOR: Final = "\x1f"
MAX_TERM_CHARACTERS: Final = 200
MAX_PARTS: Final = 10
# Rows that are read by LIKE before the grams are asked: first a few, which answer common terms at once, then
# as many more as should hold a page, when the grams have shown that the term is not rare.
NEAR_ROWS: Final = 1_000
WINDOW_ROWS: Final = 10_000
# So many hits among these show that the term is not rare, and that the larger window will have enough of them.
FREQUENT_HITS: Final = 12
# A term with no more hits than this is rare: all its hits are taken, in whatever order the grams yield them, and
# counted with the page.
FEW_HITS: Final = 10_000
# Hits taken from the grams at first; only when a filter leaves too few of them are all of them taken.
FIRST_HITS: Final = 1_000

# Texts that are read to learn how common a term is.
SAMPLED_ROWS: Final = 2_000

# ー (the long vowel mark) is a letter and stays.
_HYPHENS = frozenset("-‐‑‒–—―−﹘﹣－⁃⸺⸻˗")
_DROPPED_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})
_KATAKANA = {code: code + 0x60 for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)}


class SearchField(IntEnum):
    """Where a field stands in the search text, as split_part counts."""

    NUMBER = 1
    NAME = 2
    KANA = 3
    COMPANY = 4
    EMAIL = 5
    PHONE = 6


@dataclass(frozen=True)
class Terms:
    """What must all be found: parts anywhere in the text, and parts within one field."""

    anywhere: tuple[str, ...] = ()
    within: tuple[tuple[SearchField, str], ...] = ()
    # The order's date, the end excluded; None is no bound.
    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.anywhere or self.within)

    @property
    def parts(self) -> tuple[str, ...]:
        """Every part, wherever it is looked for."""
        return (*self.anywhere, *(part for _field, part in self.within))


@dataclass(frozen=True)
class Candidates:
    """Ids of matching orders in the order asked for. `complete`: no other order matches beyond them.

    `hits`: the ids of all that match, also before the key, where they are few enough to be known. `last`: the key
    of the last order that a window looked at.
    """

    ids: list[int]
    complete: bool
    hits: list[int] | None = None
    last: tuple[datetime, int] | None = None


def normalise(text: str) -> str:
    """Fold width, case and kana, and take out spaces, hyphens and control characters. Idempotent."""
    folded = _fold(text)
    while folded != text:
        text, folded = folded, _fold(folded)
    return folded


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold().translate(_KATAKANA)
    return "".join(
        character
        for character in text
        if character not in _HYPHENS and unicodedata.category(character) not in _DROPPED_CATEGORIES
    )


def text_of(*, number: str, name: str, kana: str, company: str, email: str, phone: str) -> str:
    """The search text of an order, in the order of SearchField."""
    return SEPARATOR.join(normalise(part) for part in (number, name, kana, company, email, phone))


def refresh(order: Order) -> None:
    """Write the search text of an order that was saved; one statement."""
    OrderSearch.objects.bulk_create(
        [OrderSearch(order_id=order.pk, ordered_at=order.ordered_at, text=text_of_order(order))],
        update_conflicts=True,
        unique_fields=["order_id"],
        update_fields=["ordered_at", "text"],
    )


def text_of_order(order: Order) -> str:
    """The search text of an order row."""
    return text_of(
        number=order.number,
        name=order.name,
        kana=order.kana,
        company=order.company,
        email=order.email,
        phone=order.phone,
    )


def parse(typed: str) -> tuple[tuple[str, ...], str]:
    """The parts of what was typed, and a sentence when something of it was left out (else empty)."""
    message = ""
    if len(typed) > MAX_TERM_CHARACTERS:
        typed = typed[:MAX_TERM_CHARACTERS]
        message = f"検索語が長いため、最初の{MAX_TERM_CHARACTERS}文字で検索しました。"
    words = unicodedata.normalize("NFKC", typed).split()
    parts = tuple(dict.fromkeys(part for word in words if (part := normalise(word))))
    if len(parts) > MAX_PARTS:
        parts = parts[:MAX_PARTS]
        message = f"検索語が多いため、最初の{MAX_PARTS}語で検索しました。"
    return parts, message


def plain_code(typed: str) -> str:
    """An order or tracking number as typed, made half-width, without spaces."""
    return "".join(unicodedata.normalize("NFKC", typed).split())


def long_grams(text: str) -> set[str]:
    """All three-character pieces that lie within one field; equals orders_long_grams in the database."""
    return {field[start : start + 3] for field in text.split(SEPARATOR) for start in range(len(field) - 2)}


def _grams_to_ask(part: str) -> set[str]:
    """Three-character pieces that together hold every character of a part: the index meets a list for each of
    them, and what stands where is read in the text anyway."""
    last = len(part) - 3
    return {part[start : start + 3] for start in (*range(0, last, 3), last)}


def matching(terms: Terms) -> QuerySet[OrderSearch]:
    """The search rows that match, found by the grams: for counting, freezing and exporting all of them."""
    rows = OrderSearch.objects.all()
    for function, grams in grams_of(terms).items():
        pieces = Func(F("text"), function=function, output_field=ArrayField(TextField()))
        rows = rows.alias(**{function: pieces}).filter(**{f"{function}__contains": grams})
    for part in terms.anywhere:
        rows = rows.filter(text__contains=part)
    for number, (field, part) in enumerate(terms.within):
        name = f"field{number}"
        piece = Func(
            F("text"), Value(SEPARATOR), Value(int(field)), function="split_part", output_field=TextField()
        )
        rows = rows.alias(**{name: piece}).filter(**{f"{name}__contains": part})
    return rows


def candidates(
    terms: Terms, *, wanted: int | None, beyond: tuple[datetime, int] | None, oldest_first: bool
) -> Iterator[Candidates]:
    """Matching orders beyond a key, in ever larger helpings, until the caller has enough.

    `wanted` is how many that will be; None when it depends on more than the text.

    The planner misjudges LIKE with ORDER BY and LIMIT, and a LIMIT does not bound a bitmap scan: hence first
    windows of rows by date, and the grams, each fenced off from the sorting. The grams come before the larger
    window only where the term may be rare: otherwise finding that out takes longer than the window.
    """
    near = _window(terms, beyond=beyond, oldest_first=oldest_first, rows=NEAR_ROWS)
    if near.complete and beyond is None:
        yield replace(near, hits=near.ids)
        return
    if (near.complete or len(near.ids) < FREQUENT_HITS) and _may_be_few(terms, near):
        few = _few(terms, beyond=beyond, oldest_first=oldest_first)
        if few.complete:
            yield few
            return
    yield near
    if near.complete:
        return
    rows = WINDOW_ROWS if wanted is None else _rows_to_read(wanted, len(near.ids))
    if rows <= WINDOW_ROWS:
        further = _window(terms, beyond=near.last, oldest_first=oldest_first, rows=rows)
        yield replace(further, ids=near.ids + further.ids)
        if further.complete:
            return
    is_everywhere = len(near.ids) > NEAR_ROWS * EVERYWHERE
    for limit in (FIRST_HITS, None):
        hits = _hits(terms, beyond=beyond, oldest_first=oldest_first, limit=limit, by_grams=not is_everywhere)
        yield hits
        if hits.complete:
            return


def _may_be_few(terms: Terms, near: Candidates) -> bool:
    """Whether taking all hits is worth a try. What is rare in a whole window is rare; otherwise the planner knows."""
    if len(near.ids) < FREQUENT_HITS // 3 and not near.complete:
        return True
    matching = estimate(terms)
    # Of ten thousand orders few may be nearly all: to read them is quicker than to ask for their grams.
    return matching <= min(FEW_HITS, max(NEAR_ROWS, EVERYWHERE * number_between(terms)))


def _rows_to_read(wanted: int, near: int) -> int:
    """How far the larger window has to go on when the first one had `near` hits and `wanted` are wanted."""
    missing = max(wanted - near, 1)
    # Both numbers vary by their square roots: too few would cost a search of all grams.
    ample = (missing + 3 * math.sqrt(missing) + 2) * (1 + 1 / math.sqrt(max(near, 1)))
    return int(ample * NEAR_ROWS / max(near, 1)) + 1


def _window(
    terms: Terms, *, beyond: tuple[datetime, int] | None, oldest_first: bool, rows: int
) -> Candidates:
    matches, like_parameters = likes(terms)
    key, key_parameters, order = position(beyond, oldest_first)
    span, span_parameters = _span(terms)
    sql = f"""
        WITH nearest AS MATERIALIZED (
            SELECT order_id, ordered_at, text FROM orders_ordersearch WHERE {key} AND {span}
            ORDER BY {order} LIMIT %s
        )
        SELECT (SELECT count(*) FROM nearest),
               ARRAY(SELECT order_id FROM nearest WHERE {matches} ORDER BY {order}),
               (SELECT ordered_at FROM nearest OFFSET %s), (SELECT order_id FROM nearest OFFSET %s)
    """  # noqa: S608  (only constants of this module are put into the text)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*key_parameters, *span_parameters, rows, *like_parameters, rows - 1, rows - 1])
        read, ids, at, pk = cursor.fetchone()
    return Candidates(ids=ids, complete=read < rows, last=None if pk is None else (at, pk))


def _few(terms: Terms, *, beyond: tuple[datetime, int] | None, oldest_first: bool) -> Candidates:
    """All hits of a rare term; not complete, and of no use, when there are more than FEW_HITS."""
    found, parameters = by_grams_sql(terms, limit=FEW_HITS + 1)
    key, key_parameters, order = position(beyond, oldest_first)
    sql = f"""
        WITH hits AS MATERIALIZED ({found})
        SELECT ARRAY(SELECT order_id FROM hits), ARRAY(SELECT order_id FROM hits WHERE {key} ORDER BY {order})
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, *key_parameters])
        hits, ids = cursor.fetchone()
    return Candidates(ids=ids, complete=len(hits) <= FEW_HITS, hits=hits)


def _hits(
    terms: Terms,
    *,
    beyond: tuple[datetime, int] | None,
    oldest_first: bool,
    limit: int | None,
    by_grams: bool,
) -> Candidates:
    found, parameters = by_grams_sql(terms, limit=None) if by_grams else _by_reading_sql(terms)
    key, key_parameters, order = position(beyond, oldest_first)
    sql = f"""
        WITH hits AS MATERIALIZED ({found})
        SELECT order_id FROM hits WHERE {key} ORDER BY {order} LIMIT %s
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, *key_parameters, limit])
        ids = [row[0] for row in cursor.fetchall()]
    return Candidates(ids=ids, complete=limit is None or len(ids) < limit)


def newest_sql(terms: Terms, *, rows: int | None) -> tuple[str, list[Any]]:
    """SELECT of so many of the newest orders (None: of all), and whether each is a `hit`.

    As they were entered, in which order they mostly lie; between two days by date, or those of other years would be
    read too.
    """
    matches, parameters = likes(terms)
    span, span_parameters = _span(terms)
    order = "ordered_at DESC, order_id DESC" if span_parameters else "order_id DESC"
    sql = f"""
        SELECT order_id, {matches} AS hit FROM orders_ordersearch WHERE {span} ORDER BY {order} LIMIT %s
    """  # noqa: S608
    return sql, [*parameters, *span_parameters, rows]


def estimate(terms: Terms) -> int:
    """About how many texts match.

    The planner knows how often each common gram occurs, but takes grams to be independent of each other, and knows
    nothing of fields: a sample of the newest texts knows better where several are asked for, or one within a field.
    """
    planned = _planned_rows(*by_grams_sql(terms, limit=None, is_exact=False))
    is_one_gram = len(terms.parts) == 1 and len(terms.parts[0]) <= 3
    if is_one_gram and not terms.within:
        return planned
    orders = number_between(terms)
    sampled = round(_share_of_newest(terms) * orders)
    # Within a field there may still be as many as the sample could miss.
    return min(planned, max(sampled, orders // SAMPLED_ROWS)) if is_one_gram else max(planned, sampled)


def number_between(terms: Terms) -> int:
    """About how many texts there are between the days of the terms; at least 1."""
    span, parameters = _span(terms)
    if not parameters:
        return number_of_orders()
    return max(_planned_rows(f"SELECT FROM orders_ordersearch WHERE {span}", parameters), 1)  # noqa: S608


def _planned_rows(sql: str, parameters: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
        (plan,) = cursor.fetchone()
    return int(plan[0]["Plan"]["Plan Rows"])


def _share_of_newest(terms: Terms) -> float:
    newest, parameters = newest_sql(terms, rows=SAMPLED_ROWS)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT avg(hit::int)::float FROM ({newest}) AS newest", parameters)  # noqa: S608
        return float(cursor.fetchone()[0] or 0)


def number_of_orders() -> int:
    """About how many texts there are, as of the last ANALYZE; at least 1."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = 'orders_ordersearch'::regclass")
        return max(int(cursor.fetchone()[0]), 1)


def by_grams_sql(terms: Terms, *, limit: int | None, is_exact: bool = True) -> tuple[str, list[Any]]:
    """SELECT of up to `limit` matching ids (and their dates) in no order, and its parameters.

    Not `is_exact`: by the grams alone, which in a text may stand apart.
    """
    asked = grams_of(terms)
    conditions = [f"{function}(text) @> %s::text[]" for function in asked]
    parameters: list[Any] = list(asked.values())
    if is_exact:
        # A part that is a gram stands where the gram stands; any other has to be read.
        unsaid = tuple(part for part in terms.anywhere if not any(part in grams for grams in asked.values()))
        matches, like_parameters = likes(Terms(anywhere=unsaid, within=terms.within))
        conditions.append(matches)
        parameters += like_parameters
    span, span_parameters = _span(terms)
    where = " AND ".join([*conditions, span])
    sql = f"SELECT order_id, ordered_at FROM orders_ordersearch WHERE {where} LIMIT %s"  # noqa: S608
    return sql, [*parameters, *span_parameters, limit]


def _by_reading_sql(terms: Terms) -> tuple[str, list[Any]]:
    """SELECT of all matching ids and their dates without the grams: for what so many texts hold that PostgreSQL would
    read them all, and compute the grams of each."""
    matches, parameters = likes(terms)
    span, span_parameters = _span(terms)
    sql = f"SELECT order_id, ordered_at FROM orders_ordersearch WHERE {matches} AND {span}"  # noqa: S608
    return sql, [*parameters, *span_parameters]


def _span(terms: Terms) -> tuple[str, list[Any]]:
    conditions = [("ordered_at >= %s", terms.since), ("ordered_at < %s", terms.until)]
    given = [(condition, bound) for condition, bound in conditions if bound is not None]
    return " AND ".join(condition for condition, _ in given) or "true", [bound for _, bound in given]


def grams_of(terms: Terms) -> dict[str, list[str]]:
    """What to ask of which of the two indexes, by its function.

    Beside a part of three characters or more a single character is left to reading the texts that this finds:
    PostgreSQL would compute the short grams of each of them.
    """
    long = {gram for part in terms.parts if len(part) >= 3 for gram in _grams_to_ask(part)}
    short = {part for part in terms.parts if len(part) == 2 or (len(part) == 1 and not long)}
    asked = {"orders_long_grams": sorted(long), "orders_short_grams": sorted(short)}
    return {function: grams for function, grams in asked.items() if grams}


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
