"""受注編集: show an order, save it, and what happens when saving is not simply possible."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_http_methods, require_safe

from cagolab import clock
from cagolab.htmx import HtmxRequest
from cagolab.roles import EDIT, VIEW
from orders import editing, payment_copy, status_guards
from orders.forms import snapshot
from orders.merging import compare
from orders.models import Order, OrderChange
from orders.statuses import OrderStatus
from orders.views.back import back_of
from orders.views.order_screen import (
    OrderScreen,
    history_context,
    load_order,
    locked_reason,
    screen_from,
    screen_of,
    show,
)
from orders.views.requester import author_of

SOURCE = "受注編集"
_RETIRES_MONEY = frozenset({OrderStatus.CANCELLED, OrderStatus.RETURNED})
# What the conflict page sends on by itself, or has no use for.
_NOT_SENT_ON = frozenset({"csrfmiddlewaretoken", "version", "base", "confirm", "resolve", "next"})
_TAKE = "take:"


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(VIEW, raise_exception=True)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one order (G5-4); a POST saves it."""
    order = load_order(pk)
    if request.method == "POST":
        if not request.user.has_perm(EDIT):
            raise PermissionDenied
        return _post(request, order)
    return _show_as_stored(request, order)


@require_safe
@permission_required(VIEW, raise_exception=True)
def history(request: HtmxRequest, pk: int) -> HttpResponse:
    """One page of 変更履歴 for htmx; anybody else is sent to the order."""
    if not request.htmx:
        return redirect("orders:edit", pk=pk)
    before = request.GET.get("before", "")
    number = int(before) if before.isdecimal() and len(before) < 19 else None
    return render(request, "orders/edit/history.html", history_context(load_order(pk), before=number))


def _post(request: HttpRequest, order: Order) -> HttpResponse:
    version = _version(request.POST)
    stored = screen_of(order)
    data: QueryDict = request.POST
    if "resolve" in data and version == order.version:
        data = _resolved(data, stored)
    screen = screen_from(data, order)
    screen.calculate()
    if version != order.version:
        return _conflict(request, order, stored, screen)
    if locked := locked_reason(order):
        messages.error(request, locked)
        return redirect("orders:edit", pk=order.pk)
    base = snapshot.dumps(snapshot.snapshot(stored.form, stored.lines))
    if request.POST.get("resolve") == "continue":
        return show(request, screen, version=version, base=base, unsaved=True)
    if not screen.is_valid() or screen.totals is None:
        return show(request, screen, version=version, base=base, status=422, unsaved=True)
    to = screen.form.cleaned_data["status"]
    if confirm := _confirm_step(request, order, to):
        return show(request, screen, version=version, base=base, unsaved=True, confirm=confirm)
    return _save(request, order, screen, base=base)


def _save(request: HttpRequest, order: Order, screen: OrderScreen, *, base: str) -> HttpResponse:
    outcome = editing.save_order(
        order_id=order.pk,
        version=order.version,
        data=screen.order_data(),
        author=author_of(request, SOURCE),
        now=clock.now(),
    )
    if isinstance(outcome, editing.VersionConflict):
        newer = load_order(order.pk)
        return _conflict(request, newer, screen_of(newer), screen_from(request.POST, newer))
    if isinstance(outcome, editing.Invalid):
        screen.add_errors(outcome.errors)
        return show(request, screen, version=order.version, base=base, status=422, unsaved=True)
    if outcome.changed:
        messages.success(request, f"注文番号 {order.number} を登録しました。")
    else:
        messages.info(request, f"注文番号 {order.number} に変更はありませんでした。")
    return redirect(_after_saving(request, order))


@dataclass(frozen=True)
class Confirm:
    """What the operator has to read before a status change is saved; the token proves that it was shown."""

    label: str
    warnings: list[str]
    token: str
    links_to_panel: bool


def _confirm_step(request: HttpRequest, order: Order, to: OrderStatus) -> Confirm | None:
    warnings = status_guards.warnings(order, to) if to != order.status else []
    if not warnings:
        return None
    shown = "\n".join((str(order.pk), str(int(to)), *warnings))
    token = hashlib.sha256(shown.encode()).hexdigest()
    if request.POST.get("confirm") == token:
        return None
    has_live_money = to in _RETIRES_MONEY and order.payment_status in payment_copy.LIVE
    return Confirm(to.label, warnings, token, has_live_money)


def _conflict(request: HttpRequest, order: Order, stored: OrderScreen, screen: OrderScreen) -> HttpResponse:
    """409 with both sides, unless what was sent is what is stored: then somebody pressed 登録 twice."""
    screen.is_valid()
    theirs = snapshot.snapshot(stored.form, stored.lines)
    mine = snapshot.snapshot(screen.form, screen.lines)
    differences = compare(
        labels=snapshot.labels(stored.form, (*theirs, *mine)),
        base=snapshot.loads(request.POST.get("base", "")),
        theirs=theirs,
        mine=mine,
    )
    if not differences:
        messages.info(request, f"注文番号 {order.number} は、この内容ですでに登録されています。")
        return redirect(_after_saving(request, order))
    last = OrderChange.objects.filter(order=order, version__gt=0).order_by("-id").first()
    sent_on = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in _NOT_SENT_ON and not name.startswith(_TAKE)
        for value in values
    ]
    context = {
        "order": order,
        "differences": differences,
        "last_change": last,
        "sent_on": sent_on,
        "version": order.version,
        "base": snapshot.dumps(theirs),
        "back": back_of(request),
    }
    return render(request, "orders/edit_conflict.html", context, status=409)


def _resolved(data: QueryDict, stored: OrderScreen) -> QueryDict:
    """The form with every field taken over from the stored order for which the operator chose so."""
    merged = data.copy()
    for name, side in data.items():
        if name.startswith(_TAKE) and side == "theirs":
            snapshot.take_over(merged, name.removeprefix(_TAKE), form=stored.form, lines=stored.lines)
    return merged


def _show_as_stored(request: HttpRequest, order: Order) -> HttpResponse:
    screen = screen_of(order)
    base = snapshot.dumps(snapshot.snapshot(screen.form, screen.lines))
    return show(request, screen, version=order.version, base=base)


def _version(data: QueryDict) -> int | None:
    text = data.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _after_saving(request: HttpRequest, order: Order) -> str:
    """The order again with its way back, or the page that 保存して移動 was heading for."""
    next_page = request.POST.get("next", "")
    if next_page and url_has_allowed_host_and_scheme(
        next_page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return next_page
    query = urlencode({"back": back_of(request).address})
    return f"{reverse('orders:edit', args=[order.pk])}?{query}"
