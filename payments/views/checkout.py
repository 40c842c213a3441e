"""The demo checkout: cart, card page, result. Off in production, where the shop has its own.

What is paid at a store or a bank has its page in checkout_request.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cagolab import clock
from cagolab.middleware import csp_connect
from gateways.interface import CardSource, CardToken, StoredCard
from gateways.vocabulary import MethodKind
from orders import changes, checkout, locks
from orders.models import Order, Product
from orders.statuses import OrderStatus
from payments import authorizations, checkout_methods, checkout_slips, checkout_words, stored_cards
from payments.actors import By
from payments.checkout_forms import CartForm, ForgetForm, PayForm
from payments.models import LIVE_STATUSES, GatewayAccount, Operation, Payment

# Yen, tax included, whatever is bought.
DELIVERY_FEE = 500
SHOWN_PRODUCTS = 6
_SESSION_KEY = "checkout_order"
ON_THE_WAY = (OrderStatus.PROCESSING, OrderStatus.PENDING)


@login_not_required
@require_http_methods(["GET", "POST"])
def cart(request: HttpRequest) -> HttpResponse:
    """Choose products and say who you are; 購入処理中 from here on."""
    if request.method == "POST":
        _forget_earlier(request)
    products = list(Product.objects.order_by("id")[:SHOWN_PRODUCTS])
    form = CartForm(request.POST or None, products=products, methods=checkout_methods.offered())
    if request.method == "POST" and form.is_valid():
        try:
            method = form.method()
            if method is None:
                raise checkout.CheckoutError("お支払方法の準備ができていません。")
            order = checkout.leave_cart(
                items=form.items(),
                buyer=form.buyer(),
                method=method,
                delivery_fee=DELIVERY_FEE,
                used_points=form.cleaned_data["used_points"] or 0,
                message=form.cleaned_data["message"],
                now=clock.now(),
            )
            request.session[_SESSION_KEY] = order.pk
            return redirect(_next_page(order))
        except checkout.CheckoutError as error:
            form.add_error(None, str(error))
    status = 422 if form.errors else 200
    return render(request, "checkout/cart.html", {"form": form, "step": 1}, status=status)


@login_not_required
@require_GET
def card(request: HttpRequest) -> HttpResponseBase:
    """The card page; 決済処理中 from here on, with stock and points taken."""
    order = session_order(request)
    if order is None:
        return redirect("checkout:cart")
    if order.payment_method.kind != MethodKind.CARD:
        return redirect("checkout:number")
    if order.status not in ON_THE_WAY or order.payment_is_open:
        return redirect("checkout:result")
    try:
        order = checkout.enter_card_page(order_id=order.pk, now=clock.now())
    except checkout.CheckoutError as error:
        return stopped(request, str(error))
    return _card_page(request, order)


@login_not_required
@require_POST
def pay(request: HttpRequest) -> HttpResponseBase:
    """Authorize with the token or a card on file. NG returns to the card page; the attempt is kept (PG-4)."""
    order = session_order(request)
    if order is None:
        return redirect("checkout:cart")
    form = PayForm(request.POST)
    is_valid = form.is_valid()
    if form.cleaned_data.get("order") not in (None, order.pk):
        return stopped(request, checkout_words.OTHER_ORDER)
    is_by_card = order.payment_method.kind == MethodKind.CARD
    if order.status != OrderStatus.PENDING or order.payment_is_open or not is_by_card:
        return redirect("checkout:result")
    source = _source(form, order) if is_valid else None
    if source is None:
        return _card_page(request, order, checkout_words.CARD_MISSING)
    try:
        result = authorizations.authorize(
            order_id=order.pk,
            account=account_of(order),
            card=source,
            key=form.cleaned_data["key"],
            installments=form.cleaned_data["installments"],
            by=By(name="お客様", source=Operation.Source.CHECKOUT, ip=request.META.get("REMOTE_ADDR")),
            now=clock.now(),
        )
    except Order.DoesNotExist:
        return redirect("checkout:cart")  # went back in another window
    if isinstance(result, authorizations.NotPossible):
        order.refresh_from_db(fields=["status", "payment_is_open"])
        if order.status != OrderStatus.PENDING or order.payment_is_open:
            return redirect("checkout:result")
        return _card_page(request, order, result.reason)
    if result.state == Operation.State.SUCCEEDED:
        if form.cleaned_data["keep"] and isinstance(source, CardToken) and order.customer is not None:
            stored_cards.keep(result, order.customer)
        return redirect("checkout:result")
    if result.state in Operation.OPEN_STATES:
        return redirect("checkout:result")
    return _card_page(request, order, checkout_words.of_failed(result))


@login_not_required
@require_POST
def forget_card(request: HttpRequest) -> HttpResponse:
    """Take one of the member's cards off the file, and show the card page again."""
    order = session_order(request)
    if order is None:
        return redirect("checkout:cart")
    form = ForgetForm(request.POST)
    is_forgotten = form.is_valid() and stored_cards.forget(
        order.customer, account_of(order), form.cleaned_data["card"]
    )
    level, text = (
        (messages.SUCCESS, checkout_words.CARD_FORGOTTEN)
        if is_forgotten
        else (messages.WARNING, checkout_words.CARD_NOT_FORGOTTEN)
    )
    messages.add_message(request, level, text)
    return redirect("checkout:card")


@login_not_required
@require_POST
def back(request: HttpRequest) -> HttpResponse:
    """Back from the card page: no order is left (PG-4); after refused tries it stays, cancelled."""
    order = session_order(request)
    if order is not None:
        try:
            checkout.go_back(order_id=order.pk, now=clock.now())
        except Order.DoesNotExist:
            pass  # the other click was quicker
        except checkout.CheckoutError:
            if not _cancelled_after_refusals(order.pk):
                return redirect("checkout:result")
        request.session.pop(_SESSION_KEY, None)
    return redirect("checkout:cart")


@login_not_required
@require_GET
def result(request: HttpRequest) -> HttpResponse:
    """How the order stands now, for the customer."""
    order = session_order(request)
    if order is None:
        return redirect("checkout:cart")
    context = {
        "order": order,
        "step": 3,
        "is_taken": order.status not in (*ON_THE_WAY, OrderStatus.CANCELLED),
        "is_cancelled": order.status == OrderStatus.CANCELLED,
        "next_page": _next_page(order),
        **_slip(order),
    }
    return render(request, "checkout/result.html", context)


def _slip(order: Order) -> dict[str, Any]:
    """The numbers to pay with, and for training how the customer pays at the sandbox."""
    payment = Payment.objects.filter(pk=order.payment_id or 0).first()
    found = checkout_slips.slip(payment) if payment else None
    if payment is None or found is None:
        return {}
    wish = json.dumps({"order_id": payment.provider_order_id, "customer": "pays"})
    practice = f"curl -d '{wish}' {settings.SANDBOX_URL}/_admin" if settings.SANDBOX_URL and found.how else ""
    return {"slip": found, "practice": practice}


def _next_page(order: Order) -> str:
    is_by_card = order.payment_method.kind == MethodKind.CARD
    return reverse("checkout:card" if is_by_card else "checkout:number")


def session_order(request: HttpRequest) -> Order | None:
    """The order that this customer is about to place, or has placed last."""
    pk = request.session.get(_SESSION_KEY)
    orders = Order.objects.select_related("payment_method", "customer")
    return orders.filter(pk=pk).first() if pk else None


def account_of(order: Order) -> GatewayAccount:
    """The account of the order's お支払方法."""
    return GatewayAccount.objects.get(code=order.payment_method.account)


def _forget_earlier(request: HttpRequest) -> None:
    """Whoever leaves the cart again has not ordered what was on the card page before."""
    if pk := request.session.pop(_SESSION_KEY, None):
        try:
            checkout.go_back(order_id=pk, now=clock.now())
        except Order.DoesNotExist:
            return
        except checkout.CheckoutError:
            _cancelled_after_refusals(pk)


def _cancelled_after_refusals(order_id: int) -> bool:
    """Cancel an order whose every try was refused: stock and points return, the tries stay visible."""
    with transaction.atomic():
        order = locks.lock_order(order_id)
        alive = Q(status__in=sorted(LIVE_STATUSES)) | Q(is_open=True)
        if order.status != OrderStatus.PENDING or Payment.objects.filter(alive, order=order).exists():
            return False
        changed = changes.change_status(
            order_id=order.pk,
            to=OrderStatus.CANCELLED,
            actor=None,
            actor_name=checkout.CUSTOMER.name,
            source=checkout.CUSTOMER.source,
            ip=None,
            now=clock.now(),
            by_system=True,
        )
    return isinstance(changed, changes.StatusChanged)


def _source(form: PayForm, order: Order) -> CardSource | None:
    if not (card_seq := form.cleaned_data["stored"]):
        card = CardToken(token=form.cleaned_data["token"])
        if form.cleaned_data["keep"] and order.customer is not None:
            return stored_cards.to_keep(card, order.customer, account_of(order))
        return card
    if order.customer is None or not order.customer.member_id:
        return None
    return StoredCard(member_id=order.customer.member_id, card_seq=card_seq)


def stopped(request: HttpRequest, sentence: str) -> HttpResponse:
    """A page that says why the checkout cannot go on."""
    return render(request, "checkout/stopped.html", {"message": sentence}, status=409)


def _card_page(request: HttpRequest, order: Order, problem: str = "") -> HttpResponseBase:
    """The card page: always with a new key, and never with a used token again."""
    account = account_of(order)
    configured: Any = settings.GATEWAY_ACCOUNTS[account.code].account  # only its provider knows more
    installments = request.POST.get("installments", 1)
    context = {
        "order": order,
        "form": PayForm(initial={"key": uuid.uuid4(), "order": order.pk, "installments": installments}),
        "problem": problem,
        "cards": stored_cards.usable(order.customer, account),
        "offers_keeping": stored_cards.is_offered(order.customer, account),
        "token_url": configured.token_url,
        "shop_id": configured.shop_id,
        "step": 2,
    }
    draw = csp_connect(configured.token_url)(render)
    return draw(request, "checkout/card.html", context, status=422 if problem else 200)
