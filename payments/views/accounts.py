"""決済アカウント: the rules of each contract, for administrators."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from cagolab.audit.entries import Kind, record
from cagolab.roles import ADMINISTER
from payments.forms import AccountForm
from payments.models import GatewayAccount


@permission_required(ADMINISTER, raise_exception=True)
@require_safe
def account_list(request: HttpRequest) -> HttpResponse:
    """All accounts of the installation; credentials are in the environment and not shown."""
    return render(request, "payments/accounts.html", {"accounts": GatewayAccount.objects.order_by("pk")})


@permission_required(ADMINISTER, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def account_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the rules of one account."""
    account = get_object_or_404(GatewayAccount, pk=pk)
    form = AccountForm(request.POST or None, instance=account)
    if request.method == "POST" and form.is_valid():
        before = {name: form.initial[name] for name in form.changed_data}
        with transaction.atomic():
            form.save()
            if before:
                record(
                    Kind.SETTING,
                    request,
                    target=f"決済アカウント「{account.name}」",
                    detail="\n".join(_words(form, name, old) for name, old in before.items()),
                )
        messages.success(
            request,
            f"決済アカウント「{account.name}」の設定を登録しました。"
            if before
            else f"決済アカウント「{account.name}」の設定に変更はありませんでした。",
        )
        return redirect("payments:accounts")
    status = 422 if form.errors else 200
    return render(request, "payments/account.html", {"account": account, "form": form}, status=status)


def _words(form: AccountForm, name: str, old: Any) -> str:
    field = form.fields[name]
    choices = dict(getattr(field, "choices", ()))
    was, now = (_value(choices.get(value, value)) for value in (old, form.cleaned_data[name]))
    return f"{field.label}：{was} → {now}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    return "（なし）" if value in (None, "") else str(value)
