"""要判断の決済操作 that no inquiry can end: an administrator says what the provider's own screen shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from cagolab import clock
from cagolab.roles import ADMINISTER, MOVE_MONEY
from payments import log, lookup_words, undecided, wording
from payments.models import Operation
from payments.views.operator import by

MAX_REASON_CHARACTERS = 200
_NOTHING = "まだ何も変えていません。"


class AbsentForm(forms.Form):
    """取引なし: that it was looked for, and what was seen, in the person's own words."""

    looked = forms.BooleanField(
        error_messages={"required": f"管理画面で調べたことを確認し、チェックを入れてください。{_NOTHING}"}
    )
    reason = forms.CharField(
        max_length=MAX_REASON_CHARACTERS,
        error_messages={
            "required": f"調べた内容を入力してください。{_NOTHING}",
            "max_length": f"調べた内容は{MAX_REASON_CHARACTERS}文字以内で入力してください。{_NOTHING}",
        },
    )


class PresentForm(forms.Form):
    """取引あり: the provider's number, and that our number and the amount beside it are the ones of this page."""

    compared = forms.BooleanField(
        error_messages={"required": f"番号と金額を見比べ、チェックを入れてください。{_NOTHING}"}
    )
    trade_id = forms.CharField(
        max_length=30,
        error_messages={
            "required": f"決済代行会社の番号を入力してください。{_NOTHING}",
            "max_length": f"番号が長すぎます。{_NOTHING}",
        },
    )


@permission_required([MOVE_MONEY, ADMINISTER], raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def undecided_operation(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: what was asked and answered, what to look up, and the two things it can turn out to be."""
    rows = Operation.objects.select_related("payment__order", "payment__account").prefetch_related("calls")
    operation = get_object_or_404(rows, pk=pk)
    if not undecided.waiting().filter(pk=pk).exists():
        messages.info(
            request, "この操作は、すでに終了したか、ほかの人が登録しました。登録することはありません。"
        )
        return redirect("payments:attention")
    if request.method != "POST":
        return _page(request, operation, None)
    form = PresentForm(request.POST) if request.POST.get("outcome") == "present" else AbsentForm(request.POST)
    if not form.is_valid():
        return _page(request, operation, form)
    who, now = replace(by(request), source=Operation.Source.UNDECIDED), clock.now()
    result = (
        undecided.conclude_present(
            operation_id=pk, trade_id=form.cleaned_data["trade_id"].strip(), by=who, now=now
        )
        if isinstance(form, PresentForm)
        else undecided.conclude_absent(operation_id=pk, reason=form.cleaned_data["reason"], by=who, now=now)
    )
    is_decided = isinstance(result, undecided.Decided)
    messages.add_message(request, messages.SUCCESS if is_decided else messages.WARNING, result.text)
    return redirect("payments:attention") if is_decided else redirect("payments:undecided", pk)


def _page(request: HttpRequest, operation: Operation, form: AbsentForm | PresentForm | None) -> HttpResponse:
    begin = undecided.decidable_from(operation)
    errors = [str(error[0]) for error in form.errors.values()] if form else []
    context: dict[str, Any] = {
        "operation": operation,
        "order": operation.payment.order,
        "payment": operation.payment,
        "lookup": lookup_words.of(operation.payment.account.provider),
        "known_as": undecided.known_as(operation),
        "amount": wording.yen(undecided.amount(operation)),
        "entries": [log.entry(operation)],
        "not_before": begin if clock.now() < begin else None,
        "errors": errors,
        "is_present": isinstance(form, PresentForm),
        "typed": {name: request.POST.get(name, "") for name in ("reason", "trade_id")},
        "max_reason": MAX_REASON_CHARACTERS,
    }
    return render(request, "payments/undecided/operation.html", context, status=422 if errors else 200)
