"""利用者: for administrators, who may log in, what is locked, and help for whoever has lost the phone."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from cagolab.audit.entries import Kind, record
from cagolab.models import LoginThrottle
from cagolab.people import name_of
from cagolab.roles import ADMINISTER
from cagolab.security import reauthentication, second_factor, sessions, throttle

SCOPES = {
    throttle.LOGIN.scope: "ログイン(このアドレスから)",
    throttle.ADDRESS.scope: "このアドレスからのすべてのログイン",
    throttle.ACCOUNT.scope: "ログイン(初めてのアドレスから)",
    throttle.CODE.scope: "認証コード",
    throttle.PASSWORD.scope: "パスワードの再確認",
}


@permission_required(ADMINISTER, raise_exception=True)
@require_safe
def users(request: HttpRequest) -> HttpResponse:
    """Everybody who has a login, and every lock that holds now."""
    found = User.objects.select_related("second_factor").prefetch_related("groups").order_by("username")[:500]
    people = [
        {
            "user": user,
            "name": name_of(user),
            "roles": "、".join(group.name for group in user.groups.all())
            or ("全権限" if user.is_superuser else "なし"),
            "has_factor": hasattr(user, "second_factor"),
            "is_self": user.pk == request.user.pk,
        }
        for user in found
    ]
    locked = [
        {"lock": lock, "what": SCOPES[lock.scope], "who": name_of(lock.user) if lock.user else ""}
        for lock in throttle.locks()
    ]
    return render(request, "cagolab/users.html", {"people": people, "locks": locked})


@permission_required(ADMINISTER, raise_exception=True)
@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody try again at once."""
    lock = get_object_or_404(LoginThrottle.objects.select_related("user"), pk=pk)
    with transaction.atomic():
        who = lock.user.get_username() if lock.user else lock.address or ""
        record(Kind.UNLOCKED, request, target=who, detail=SCOPES[lock.scope])
        lock.delete()
    messages.success(request, "ログインの停止を解除しました。")
    return redirect("users")


@permission_required(ADMINISTER, raise_exception=True)
@require_POST
def reset_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget the app of somebody who has lost the phone, and end their sessions. One's own: recovery codes."""
    user = get_object_or_404(User, pk=pk)
    if refused := _refused(request, user):
        return refused
    with transaction.atomic():
        second_factor.reset(user)
        throttle.clear(throttle.CODE, str(user.pk))
        record(
            Kind.SECOND_FACTOR, request, target=user.get_username(), detail="2段階認証をリセットしました。"
        )
    sessions.end_all(user)
    messages.success(
        request, f"{name_of(user)}様の2段階認証をリセットしました。次回のログインで設定し直していただきます。"
    )
    return redirect("users")


@permission_required(ADMINISTER, raise_exception=True)
@require_POST
def set_active(request: HttpRequest, pk: int) -> HttpResponse:
    """Suspend a user, whose sessions end at once, or let them in again (`active`: 0 or 1)."""
    user = get_object_or_404(User, pk=pk)
    if refused := _refused(request, user):
        return refused
    active = request.POST.get("active") == "1"
    words = "利用を再開しました。" if active else "利用を停止しました。"
    with transaction.atomic():
        # Not save(): the history names the administrator, not the server.
        User.objects.filter(pk=user.pk).update(is_active=active)
        record(Kind.USER, request, target=user.get_username(), detail=words)
    if not active:
        sessions.end_all(user)
    messages.success(request, f"{name_of(user)}様の{words}")
    return redirect("users")


def _refused(request: HttpRequest, user: User) -> HttpResponse | None:
    """Nobody does it to oneself, and not at a screen that somebody else left open."""
    if user.pk == cast(User, request.user).pk:
        messages.error(
            request, "ご自分のアカウントには、この操作はできません。ほかの管理者にご依頼ください。"
        )
        return redirect("users")
    if not reauthentication.is_recent(request):
        messages.info(
            request, "まだ何も変更していません。パスワードを確認してから、もう一度操作してください。"
        )
        return redirect(reauthentication.address(reverse("users")))
    return None
