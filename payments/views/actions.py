"""Money actions on one payment: the confirm dialog (GET) and its execution (POST)."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from cagolab import clock
from cagolab.htmx import HtmxRequest
from cagolab.roles import MOVE_MONEY
from gateways.vocabulary import Action, PaymentStatus
from orders.models import Order
from orders.statuses import OrderStatus
from payments import accounts, announcements, dialog, facts, inquiry, panel_words
from payments.announcements import Announcement
from payments.decisions import PANEL_ACTIONS, decide
from payments.forms import ActionForm, ChoiceForm
from payments.models import Payment
from payments.operations import Busy, Changed, KeyReused, Replayed, execute
from payments.permits import Choices, Permit, Refusal
from payments.views.operator import by
from payments.views.panel import PAYMENT_CHANGED, order_page, panel_context

_KEY_REUSED = (
    "この確認画面はすでに別の操作に使われています。何も実行していません。"
    "受注の画面を開き直して、もう一度操作してください。"
)
_LEVELS = {
    "success": messages.SUCCESS,
    "info": messages.INFO,
    "warning": messages.WARNING,
    "error": messages.ERROR,
}


@permission_required(MOVE_MONEY, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def payment_action(request: HtmxRequest, pk: int, action: str) -> HttpResponse:
    """Show what would happen (GET moves nothing), or do what was confirmed (POST)."""
    if action not in {known.value for known in PANEL_ACTIONS}:
        raise Http404(action)
    payment = get_object_or_404(Payment.objects.select_related("order", "account"), pk=pk)
    if request.method == "POST":
        return _execute(request, payment, Action(action))
    form = ChoiceForm(request.GET)
    if not form.is_valid():
        return _problem(request, payment, Action(action), form.first_error)
    return _show(request, payment, Action(action), form)


def _execute(request: HtmxRequest, payment: Payment, action: Action) -> HttpResponse:
    if action is Action.INQUIRE:
        if isinstance(decide(action, facts.read(payment), clock.now()), Refusal):
            return _show(request, payment, action, _nothing_chosen(), status=409)
        operation = inquiry.inquire_now(payment_id=payment.pk, by=by(request), now=clock.now())
        return _done(request, payment, announcements.of_operation(operation, payment.order.number))
    form = ActionForm(request.POST)
    if not form.is_valid():
        return _problem(request, payment, action, form.first_error)
    chosen = _chosen(form)
    decision = decide(
        action, facts.read(payment), clock.now(), target=chosen.target, mode=chosen.mode, on=chosen.on
    )
    if isinstance(decision, Permit) and decision.second_confirmation and not form.cleaned_data["second"]:
        error = "確認のチェックが入っていないため、まだ何も実行していません。内容を確認し、チェックを入れてください。"
        return _show(request, payment, action, form, error=error, status=422)
    offered = dialog.follow_option(action, OrderStatus(payment.order.status), payment.account, None)
    try:
        result = execute(
            payment_id=payment.pk,
            action=action,
            key=form.cleaned_data["key"],
            shown=form.cleaned_data["shown"],
            by=by(request),
            now=clock.now(),
            target=chosen.target,
            mode=chosen.mode,
            on=chosen.on,
            follow=form.cleaned_data["follow"] and offered is not None,
        )
    except KeyReused:
        return _problem(request, payment, action, _KEY_REUSED)
    number = payment.order.number
    if isinstance(result, Changed):
        payment = Payment.objects.select_related("order", "account").get(pk=payment.pk)
        return _show(request, payment, action, form, error=announcements.NOTHING_EXECUTED, status=409)
    if isinstance(result, Busy):
        return _done(request, payment, announcements.busy(result.operation, number))
    if isinstance(result, Replayed):
        return _done(request, payment, announcements.already_executed(result.operation, number))
    return _done(request, payment, announcements.of_operation(result.operation, number))


def _nothing_chosen() -> ChoiceForm:
    form = ChoiceForm({})
    form.is_valid()
    return form


def _chosen(form: ChoiceForm) -> Choices:
    target = form.cleaned_data["target"]
    return Choices(
        target=PaymentStatus(target) if target else None,
        mode=form.cleaned_data["mode"] or None,
        on=form.cleaned_data["on"],
    )


def _show(
    request: HtmxRequest,
    payment: Payment,
    action: Action,
    form: ChoiceForm,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    chosen, now = _chosen(form), clock.now()
    known = facts.read(payment)
    decision = decide(action, known, now, target=chosen.target, mode=chosen.mode, on=chosen.on)
    asked = form.cleaned_data["asked"]
    context = {
        "dialog": dialog.build(
            payment,
            known,
            decision,
            action,
            chosen=chosen,
            now=now,
            follow=form.cleaned_data["follow"] if asked else None,
        ),
        "payment": payment,
        "key": uuid.uuid4(),
        "error": error,
        "asked": asked,
        "back": order_page(payment.order_id),
    }
    template = "payments/dialog.html" if request.htmx else "payments/dialog_page.html"
    return render(request, template, context, status=status)


def _problem(request: HtmxRequest, payment: Payment, action: Action, sentence: str) -> HttpResponse:
    """A request that no form of ours sends: one sentence, nothing done."""
    context = {
        "payment": payment,
        "title": panel_words.button_label(
            action, is_dated=accounts.capabilities(payment.account.provider).needs_date
        ),
        "sentence": sentence,
        "back": order_page(payment.order_id),
    }
    template = "payments/problem.html" if request.htmx else "payments/problem_page.html"
    return render(request, template, context, status=422 if request.htmx else 400)


def _done(request: HtmxRequest, payment: Payment, announcement: Announcement) -> HttpResponse:
    """Close the dialog and show the panel as it now is; without htmx, go back to the order."""
    if not request.htmx:
        messages.add_message(request, _LEVELS[announcement.level], announcement.text)
        return redirect(order_page(payment.order_id))
    context = panel_context(
        payment.order_id,
        request.user,
        announcement=announcement,
        order_notice=_order_notice(payment.order),
    )
    response = render(request, "payments/executed.html", context)
    return trigger_client_event(response, PAYMENT_CHANGED)


def _order_notice(before: Order) -> str:
    """What changed on the order itself, which the form around the panel does not show yet."""
    after = Order.objects.only("status", "paid_at").get(pk=before.pk)
    changes = []
    if after.status != before.status:
        changes.append(f"対応状況が「{OrderStatus(after.status).label}」に変わりました。")
    if after.paid_at != before.paid_at:
        changes.append("入金日が記録されました。")
    if not changes:
        return ""
    return f"{''.join(changes)}受注の内容を編集する前に、画面を再読み込みしてください。"
