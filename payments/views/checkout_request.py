"""The demo checkout's page for what is paid at a store or a bank: look at the order, choose, get the number."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from cagolab import clock
from gateways.interface import Payer
from gateways.vocabulary import MethodKind
from orders import checkout
from orders.models import Order
from orders.statuses import OrderStatus
from payments import authorizations, checkout_methods, checkout_words
from payments.actors import By
from payments.checkout_forms import RequestForm
from payments.models import Operation
from payments.views.checkout import ON_THE_WAY, account_of, session_order, stopped


@login_not_required
@require_http_methods(["GET", "POST"])
def number(request: HttpRequest) -> HttpResponse:
    """GET: 決済処理中 from here on. POST: ask the provider for the number; the answer decides what is shown next."""
    order = session_order(request)
    if order is None:
        return redirect("checkout:cart")
    if order.payment_method.kind == MethodKind.CARD:
        return redirect("checkout:card")
    if request.method == "POST":
        return _take(request, order)
    if order.status not in ON_THE_WAY or order.payment_is_open:
        return redirect("checkout:result")
    try:
        order = checkout.enter_card_page(order_id=order.pk, now=clock.now())
    except checkout.CheckoutError as error:
        return stopped(request, str(error))
    return _page(request, order, _form(order))


def _take(request: HttpRequest, order: Order) -> HttpResponse:
    form = _form(order, request)
    is_valid = form.is_valid()
    if form.cleaned_data.get("order") not in (None, order.pk):
        return stopped(request, checkout_words.OTHER_ORDER)
    if order.status != OrderStatus.PENDING or order.payment_is_open:
        return redirect("checkout:result")
    if not is_valid:
        return _page(request, order, form, checkout_words.CHOICE_MISSING)
    try:
        result = authorizations.request(
            order_id=order.pk,
            account=account_of(order),
            kind=MethodKind(order.payment_method.kind),
            payer=Payer(
                name=order.name,
                kana=order.kana,
                phone=order.phone,
                email=order.email,
                store=form.cleaned_data.get("store", ""),
            ),
            key=form.cleaned_data["key"],
            by=By(name="お客様", source=Operation.Source.CHECKOUT, ip=request.META.get("REMOTE_ADDR")),
            now=clock.now(),
        )
    except Order.DoesNotExist:
        return redirect("checkout:cart")  # went back in another window
    if isinstance(result, authorizations.NotPossible):
        order.refresh_from_db(fields=["status", "payment_is_open"])
        if order.status != OrderStatus.PENDING or order.payment_is_open:
            return redirect("checkout:result")
        return _page(request, order, _form(order), result.reason)
    if result.state == Operation.State.SUCCEEDED or result.state in Operation.OPEN_STATES:
        return redirect("checkout:result")
    return _page(request, order, _form(order), checkout_words.of_failed_request(result))


def _form(order: Order, request: HttpRequest | None = None) -> RequestForm:
    stores = checkout_methods.stores(account_of(order), MethodKind(order.payment_method.kind))
    initial = {"key": uuid.uuid4(), "order": order.pk}
    return RequestForm(request.POST if request else None, stores=stores, initial=initial)


def _page(request: HttpRequest, order: Order, form: RequestForm, problem: str = "") -> HttpResponse:
    if form.is_bound:  # a key is good for one try
        form = _form(order)
    context = {"order": order, "form": form, "problem": problem, "step": 2}
    return render(request, "checkout/number.html", context, status=422 if problem else 200)
