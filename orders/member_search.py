"""Finding members (会員) by parts of their name, kana and mail address, however many there are.

The search text is made in the database, by orders_member_text: members are written by more than one program.
"""

from __future__ import annotations

import unicodedata

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, QuerySet, TextField

from orders import search
from orders.models import Customer

_LONG = 3


def matching(typed: str) -> QuerySet[Customer]:
    """Members in whom each word of what was typed occurs, newest first; width, kana and spaces do not matter."""
    words = unicodedata.normalize("NFKC", typed).split()
    parts = [part for word in words if (part := search.normalise(word))]
    if words and not parts:
        return Customer.objects.none()
    if not parts:
        return Customer.objects.order_by("-pk")
    text = Func(F("name"), F("kana"), F("email"), function="orders_member_text", output_field=TextField())
    found = Customer.objects.alias(text=text)
    for function, grams in _grams(parts).items():
        if grams:
            pieces = Func(text, function=function, output_field=ArrayField(TextField()))
            found = found.alias(**{function: pieces}).filter(**{f"{function}__contains": sorted(grams)})
    for part in parts:
        found = found.filter(text__contains=part)
    # No index has this order: the planner would read members from the newest on until it has found enough, and of
    # a rare name there are never enough.
    return found.order_by((F("pk") + 0).desc())


def _grams(parts: list[str]) -> dict[str, set[str]]:
    long = set().union(*(search.long_grams(part) for part in parts))
    return {"orders_long_grams": long, "orders_short_grams": {part for part in parts if len(part) < _LONG}}
