"""受注編集 as a page: its forms, its totals and everything around them. No rules, no writing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.forms import BoundField
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from cagolab.roles import EDIT
from orders import status_guards
from orders.forms import lines as line_forms
from orders.forms import snapshot
from orders.forms.order import COPIED_TO_DELIVERY, OrderForm, initial_of
from orders.models import Customer, Order, OrderChange, OrderLine
from orders.order_data import OrderData
from orders.statuses import OrderStatus
from orders.totals import Totals, TotalsError, calculate
from orders.views.back import back_of

CHANGES_PER_PAGE = 10
# Only the checkout and the stale-order job move these; nothing in them is an operator's to change.
LOCKED_STATUSES = frozenset({OrderStatus.PROCESSING, OrderStatus.PENDING})


@dataclass(frozen=True)
class Problem:
    """One line of the summary above the cards; the anchor leads to the field."""

    anchor: str
    label: str
    message: str


@dataclass
class OrderScreen:
    """The state of the page: a stored order or a new one, and its forms, bound or not."""

    order: Order | None
    stored_lines: list[OrderLine]
    form: OrderForm
    lines: line_forms.LineForms
    totals: Totals | None = None
    customer: Customer | None = None
    calculation_problem: str = ""

    def is_valid(self) -> bool:
        """Check the order's fields and every line, whichever is wrong first."""
        valid = self.form.is_valid()
        return self.lines.is_valid() and valid

    def calculate(self) -> None:
        """Fill the totals and the lines' subtotals from what the forms hold; none where they are wrong."""
        self.totals, self.calculation_problem = None, ""
        if self.form.is_bound:
            self.is_valid()
        lines_wrong = [line for line in self.lines.forms if line.is_bound and not line.is_valid()]
        if lines_wrong or self.form.has_error("used_points"):
            return
        inputs = [line.as_input() for line in self.lines.forms]
        try:
            self.totals = calculate(inputs, used_points=self.used_points)
        except TotalsError as problem:
            self.calculation_problem = str(problem)
            return
        for line, subtotal in zip(self.lines.forms, self.totals.line_subtotals, strict=True):
            line.subtotal = subtotal

    @property
    def used_points(self) -> int:
        """The points that the form uses, 0 where they are wrong."""
        if self.form.is_bound:
            return int(self.form.cleaned_data.get("used_points") or 0)
        return int(self.form["used_points"].value() or 0)

    def order_data(self) -> OrderData:
        """What saving needs; only after the forms were found valid."""
        return OrderData(
            values=self.form.order_values(),
            lines=tuple(line.as_data() for line in self.lines.forms),
            status=self.form.cleaned_data["status"],
        )

    def add_errors(self, errors: Mapping[str, str]) -> None:
        """Put what saving refused where the operator looks for it."""
        for name, sentence in errors.items():
            if name in self.form.fields:
                self.form.add_error(name, sentence)
            elif name == "lines":
                self.lines.errors.append(sentence)
            else:
                self.form.add_error(None, sentence)

    def problems(self) -> list[Problem]:
        """Everything that is wrong, in the order of the page."""
        names = snapshot.labels(self.form, ())
        found = [_problem(bound, names[bound.name]) for bound in self.form if bound.errors]
        found += [Problem("", "", str(error)) for error in self.form.non_field_errors()]
        for line in self.lines.forms:
            name = line.words[0] or "明細"
            found += [_problem(bound, f"{name}の{bound.label}") for bound in line if bound.errors]
            found += [Problem(f"replace-{line.key}", name, str(error)) for error in line.non_field_errors()]
        if self.calculation_problem:
            found.append(Problem("order-lines", "商品情報", self.calculation_problem))
        return found + [Problem("order-lines", "商品情報", error) for error in self.lines.errors]


def load_order(order_id: int) -> Order:
    """The order with what the page shows beside it, or 404."""
    order = Order.objects.select_related("customer", "payment_method").filter(pk=order_id).first()
    if order is None:
        raise Http404("order")
    return order


def screen_of(order: Order) -> OrderScreen:
    """The page of a stored order as it is."""
    stored = stored_lines(order)
    form = OrderForm(initial=initial_of(order), **_conditions(order))
    screen = OrderScreen(
        order=order,
        stored_lines=stored,
        form=form,
        lines=line_forms.forms_of(stored),
        customer=order.customer,
    )
    screen.calculate()
    return screen


def screen_from(data: QueryDict, order: Order) -> OrderScreen:
    """The page of a stored order as a request fills it in."""
    stored = stored_lines(order)
    return OrderScreen(
        order=order,
        stored_lines=stored,
        form=OrderForm(data, initial=initial_of(order), **_conditions(order)),
        lines=line_forms.forms_from(data, stored),
        customer=order.customer,
    )


def stored_lines(order: Order) -> list[OrderLine]:
    """The order's lines that are rows on the page."""
    return list(order.lines.exclude(kind=OrderLine.Kind.POINTS))


def locked_reason(order: Order) -> str:
    """Why nobody can change this order on the page, or an empty string."""
    if OrderStatus(order.status) in LOCKED_STATUSES:
        return (
            f"注文番号 {order.number} は「{order.get_status_display()}」のため、登録と計算はできません。"
            "お客様のお手続きが終わるか、「決済処理中の注文の取消」を行うまでお待ちください。"
        )
    return ""


def show(
    request: HttpRequest, screen: OrderScreen, *, version: int, base: str, status: int = 200, **more: Any
) -> HttpResponse:
    """Draw the whole page; `version` and `base` are what the form will be compared with when it comes back."""
    order = screen.order
    assert order is not None  # noqa: S101  (the page of a new order has its own view)
    may_edit = request.user.has_perm(EDIT)
    locked = locked_reason(order) if may_edit else ""
    problems = screen.problems() if screen.form.is_bound else []
    context = {
        **lines_context(screen),
        **history_context(order, before=None),
        "version": version,
        "base": base,
        "back": back_of(request),
        "form_action": reverse("orders:edit", args=[order.pk]),
        "can_edit": may_edit,
        "editable": may_edit and not locked,
        "locked_reason": locked,
        "problems": problems,
        "orderer_open": any(screen.form.has_error(name) for name in ("name", *_ORDERER_FIELDS)),
        "copied_to_delivery": " ".join(COPIED_TO_DELIVERY),
        "mails": list(order.mails.order_by("-id")[:50]),
        "status_help": "決済の操作は行われません。請求や取消は、下の決済情報で行ってください。"
        if order.payment_status
        else "",
        **more,
    }
    return render(request, "orders/edit.html", context, status=status)


def lines_context(screen: OrderScreen) -> dict[str, Any]:
    """What the card 商品情報 needs, alone or in the page."""
    order = screen.order
    return {
        "order": order,
        "form": screen.form,
        "lines": screen.lines,
        "lines_checked": screen.form.is_bound,
        "totals": screen.totals,
        "calculation_problem": screen.calculation_problem,
        "discount_yen": abs(screen.totals.discount) if screen.totals else 0,
        "used_points": screen.used_points if screen.totals else 0,
        "customer": screen.customer,
        "calculate_address": reverse("orders:calculate", args=[order.pk])
        if order
        else reverse("orders:new_calculate"),
        "products_address": reverse("orders:products", args=[order.pk])
        if order
        else reverse("orders:new_products"),
    }


def history_context(order: Order, *, before: int | None) -> dict[str, Any]:
    """One page of 変更履歴, newest first; `before` is the id of the last row that was shown."""
    rows = OrderChange.objects.filter(order=order).order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: CHANGES_PER_PAGE + 1])
    shown = found[:CHANGES_PER_PAGE]
    return {
        "changes": shown,
        "last_change": shown[0] if shown and before is None else None,
        "older_changes": shown[-1].pk if len(found) > CHANGES_PER_PAGE else None,
        "newer_changes": before is not None,
        "history_address": reverse("orders:history", args=[order.pk]),
    }


_ORDERER_FIELDS = ("kana", "company", "email", "phone", "postal_code", "prefecture", "address")


def _conditions(order: Order) -> dict[str, Any]:
    return {
        "current_status": OrderStatus(order.status),
        "has_member": order.customer_id is not None,
        "payment_method_locked": status_guards.edit_refusal(order),
    }


def _problem(bound: BoundField, label: str) -> Problem:
    return Problem(bound.id_for_label, label, " ".join(str(error) for error in bound.errors))
