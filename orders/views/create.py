"""新規受注入力: an order taken by telephone or letter (G13-2). It has no payment at any gateway (PG-9)."""

from __future__ import annotations

import uuid
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from cagolab import clock
from cagolab.roles import EDIT
from orders import editing
from orders.forms import lines as line_forms
from orders.forms.order import COPIED_TO_DELIVERY, OrderForm
from orders.models import Customer
from orders.statuses import OrderStatus
from orders.views.back import back_of
from orders.views.calculation import answer, with_changes
from orders.views.order_screen import OrderScreen, lines_context
from orders.views.requester import author_of

SOURCE = "新規受注入力"
# Which order a form has made, so that the same form posted again leads there and makes no second one.
_MADE = "orders_made"
_REMEMBERED_FORMS = 20
_HELP = "新規受注入力の受注は「新規受付」で始まり、決済代行会社での決済は作成されません。"


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(EDIT, raise_exception=True)
def create(request: HttpRequest) -> HttpResponse:
    """An empty form; a POST makes the order, once per form."""
    if request.method != "POST":
        first = line_forms.with_extra_line(QueryDict(), "delivery_fee")
        screen = screen_of_new(line_forms.with_extra_line(first, "charge"), is_empty=True)
        screen.calculate()
        return _show(request, screen, token=uuid.uuid4())
    screen = screen_of_new(request.POST)
    screen.calculate()
    token = _token(request.POST)
    if token is None or not screen.is_valid() or screen.totals is None:
        return _show(request, screen, token=token or uuid.uuid4(), status=422)
    with transaction.atomic():
        made = _made_before(request, token)
        if made is not None:
            messages.info(request, f"注文番号 {made} は、この内容ですでに登録されています。")
            return redirect("orders:edit", pk=made)
        outcome = editing.create_order(
            data=screen.order_data(),
            customer=screen.customer,
            author=author_of(request, SOURCE),
            now=clock.now(),
        )
        if isinstance(outcome, editing.Invalid):
            screen.add_errors(outcome.errors)
            return _show(request, screen, token=token, status=422)
        _remember(request, token, outcome.order.pk)
    messages.success(request, f"注文番号 {outcome.order.number} を登録しました。")
    return redirect("orders:edit", pk=outcome.order.pk)


@require_POST
@permission_required(EDIT, raise_exception=True)
def calculate(request: HttpRequest) -> HttpResponse:
    """計算結果を更新 for an order that does not exist yet."""
    return answer(request, screen_of_new(with_changes(request.POST)))


def screen_of_new(data: QueryDict, *, is_empty: bool = False) -> OrderScreen:
    """The page of a new order as a request fills it in, for the member `customer`; `is_empty` asks for no input yet."""
    customer = _customer(data)
    conditions: dict[str, Any] = {
        "current_status": OrderStatus.NEW,
        "has_member": customer is not None,
        "is_new": True,
    }
    initial = {"status": OrderStatus.NEW, "used_points": 0}
    form = OrderForm(None if is_empty else data, initial=initial, **conditions)
    return OrderScreen(
        order=None,
        stored_lines=[],
        form=form,
        lines=line_forms.forms_from(data, stored=[]),
        customer=customer,
    )


def _customer(data: QueryDict) -> Customer | None:
    typed = data.get("customer", "")
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 19):
        return None
    return Customer.objects.filter(pk=int(typed)).first()


def _show(request: HttpRequest, screen: OrderScreen, *, token: uuid.UUID, status: int = 200) -> HttpResponse:
    context = {
        **lines_context(screen),
        "version": 0,
        "token": token,
        "back": back_of(request),
        "form_action": reverse("orders:new"),
        "can_edit": True,
        "editable": True,
        "problems": screen.problems() if screen.form.is_bound else [],
        "orderer_open": True,
        "copied_to_delivery": " ".join(COPIED_TO_DELIVERY),
        "status_help": _HELP,
        "unsaved": screen.form.is_bound,
    }
    return render(request, "orders/edit.html", context, status=status)


def _token(data: QueryDict) -> uuid.UUID | None:
    try:
        return uuid.UUID(data.get("token", ""))
    except ValueError:
        return None


def _made_before(request: HttpRequest, token: uuid.UUID) -> int | None:
    """The order this form has made, asked under a lock that a second post of the form waits for.

    The session is read anew behind the lock: the first post's transaction has written the order into it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(token)])
    store = import_module(settings.SESSION_ENGINE).SessionStore
    made = store(request.session.session_key).get(_MADE, {}).get(str(token))
    return int(made) if made is not None else None


def _remember(request: HttpRequest, token: uuid.UUID, order_id: int) -> None:
    made = dict(request.session.get(_MADE, {}))
    made[str(token)] = order_id
    request.session[_MADE] = dict(list(made.items())[-_REMEMBERED_FORMS:])
    request.session.save()
