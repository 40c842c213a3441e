"""What an order's form says, in words; and the form with one field taken over from what is stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.http import QueryDict

from orders.forms.lines import LineForm, LineForms
from orders.forms.order import DELIVERY_FIELDS, ORDERER_FIELDS, OrderForm
from orders.statuses import OrderStatus

# A snapshot comes back in a hidden field; nobody's order is longer.
MAX_SNAPSHOT_CHARACTERS = 200_000
_LINE = "line:"


def snapshot(form: OrderForm, lines: LineForms) -> dict[str, str]:
    """Field by field and line by line, what a bound or an unbound form holds, as people read it."""
    words = {name: _words(form, name) for name in form.fields}
    return {**words, **{f"{_LINE}{line.key}": _line_words(line) for line in lines.forms}}


def labels(form: OrderForm, keys: Iterable[str]) -> dict[str, str]:
    """What to call the entries of a snapshot on a page that shows no cards."""
    named = {}
    for name, field in form.fields.items():
        card = "注文者 " if name in ORDERER_FIELDS else "出荷情報 " if name in DELIVERY_FIELDS else ""
        named[name] = f"{card}{field.label}"
    return {**named, **{key: "明細" for key in keys if key.startswith(_LINE)}}


def dumps(words: Mapping[str, str]) -> str:
    """The snapshot as the hidden field `base` holds it."""
    return json.dumps(words, ensure_ascii=False, separators=(",", ":"))


def loads(text: str) -> dict[str, str] | None:
    """The snapshot that a request brings back; None when there is none that can be read."""
    if not text or len(text) > MAX_SNAPSHOT_CHARACTERS:
        return None
    try:
        words = json.loads(text)
    except ValueError:
        return None
    if not isinstance(words, dict) or not all(isinstance(value, str) for value in words.values()):
        return None
    return words


def take_over(data: QueryDict, key: str, *, form: OrderForm, lines: LineForms) -> None:
    """Replace in `data` what stands under a snapshot's key by what the stored order's forms hold."""
    if not key.startswith(_LINE):
        if key in form.fields:
            data[form.add_prefix(key)] = _raw(form, key)
        return
    row = key.removeprefix(_LINE)
    stored = next((line for line in lines.forms if line.key == row), None)
    if stored is None:
        data.setlist("line", [other for other in data.getlist("line") if other != row])
        return
    for name in stored.fields:
        data[stored.add_prefix(name)] = _raw(stored, name)
    if row not in data.getlist("line"):
        data.appendlist("line", row)


def _raw(form: forms.Form, name: str) -> str:
    """The value as the browser would send it for the form as it is drawn."""
    value = form[name].value()
    return "" if value is None else str(value)


def _words(form: forms.Form, name: str) -> str:
    field = form.fields[name]
    value = form.cleaned_data[name] if form.is_bound and name in getattr(form, "cleaned_data", {}) else None
    text = str(field.prepare_value(value)) if value is not None else _raw(form, name)
    if isinstance(field, forms.ChoiceField):
        return _labels(name, field).get(text, text) if text else ""
    return text.replace("\r\n", "\n").strip()


def _labels(name: str, field: forms.ChoiceField) -> dict[str, str]:
    # A status that may not follow any more is still a status with a name.
    known = (
        OrderStatus.choices if name == "status" else list(cast("Iterable[tuple[Any, Any]]", field.choices))
    )
    return {str(code): str(label) for code, label in known}


def _line_words(line: LineForm) -> str:
    name, code, options = line.words
    what = " ".join(part for part in (name, code, options) if part)
    tax = "税込" if line.includes_tax else "税抜"
    price, quantity, rate = (_words(line, field) for field in ("unit_price", "quantity", "tax_rate"))
    return f"{what} {price}円（{tax}）× {quantity}、税率{rate}%、{_words(line, 'tax_type')}"
