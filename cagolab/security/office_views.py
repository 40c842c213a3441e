"""利用者: for administrators: who may log in and do what, what is locked, and help for whoever cannot log in."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cagolab.audit.entries import Kind, record
from cagolab.models import LoginThrottle
from cagolab.people import name_of
from cagolab.roles import ADMINISTER
from cagolab.security import initial_password, reauthentication, throttle, users
from cagolab.security.user_forms import NewUserForm, RoleForm

SCOPES = {
    throttle.LOGIN.scope: "ログイン(このアドレスから)",
    throttle.ADDRESS.scope: "このアドレスからのすべてのログイン",
    throttle.ACCOUNT.scope: "ログイン(初めてのアドレスから)",
    throttle.CODE.scope: "認証コード",
    throttle.PASSWORD.scope: "パスワードの再確認",
}


@permission_required(ADMINISTER, raise_exception=True)
@require_safe
def user_list(request: HttpRequest) -> HttpResponse:
    """Everybody who has a login, and every lock that holds now."""
    found = (
        User.objects.select_related("second_factor", "initial_password")
        .prefetch_related("groups")
        .order_by("username")[:500]
    )
    people = [
        {
            "user": user,
            "name": name_of(user),
            "roles": "、".join(group.name for group in user.groups.all())
            or ("全権限" if user.is_superuser else "なし"),
            "has_factor": hasattr(user, "second_factor"),
            "has_initial_password": hasattr(user, "initial_password"),
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
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def user_new(request: HttpRequest) -> HttpResponse:
    """A new login; its initial password is shown once, in the answer."""
    form = NewUserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if asked := _not_without_password(request, reverse("user_new")):
            return asked
        try:
            user, password = users.add(request, **form.cleaned_data)
        except users.NotAllowed:
            return _not_allowed(request)
        except IntegrityError:  # added twice at once
            form.add_error("username", "このログインIDはすでに使われています。")
        else:
            return _password_page(request, user, password, is_new=True)
    return render(
        request, "cagolab/user_form.html", {"form": form, "person": None}, status=422 if form.errors else 200
    )


@permission_required(ADMINISTER, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def user_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Name and role."""
    user = get_object_or_404(User, pk=pk)
    now = {"last_name": user.last_name, "first_name": user.first_name, "role": users.role_of(user)}
    form = RoleForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid():
        if user.is_superuser:
            messages.error(
                request,
                f"{name_of(user)}様は全権限をお持ちのため、権限はサーバーで変更してください。何も変更していません。",
            )
            return redirect("users")
        if asked := _not_without_password(request, reverse("user_edit", args=[pk])):
            return asked
        try:
            is_changed = users.change(request, user, **form.cleaned_data)
        except users.NotAllowed:
            return _not_allowed(request)
        user.refresh_from_db()
        messages.success(
            request,
            f"{name_of(user)}様のお名前と権限を登録しました。次の操作から有効です。"
            if is_changed
            else f"{name_of(user)}様の登録に変更はありませんでした。",
        )
        return redirect("users")
    context = {"form": form, "person": user, "name": name_of(user)}
    return render(request, "cagolab/user_form.html", context, status=422 if form.errors else 200)


@permission_required(ADMINISTER, raise_exception=True)
@never_cache
@require_POST
def renew_password(request: HttpRequest, pk: int) -> HttpResponse:
    """A new initial password for somebody who has forgotten the own one; shown once, in the answer."""
    user = get_object_or_404(User, pk=pk)
    if asked := _not_without_password(request, reverse("users")):
        return asked
    try:
        password = users.renew_password(request, user)
    except users.NotAllowed:
        return _not_allowed(request)
    return _password_page(request, user, password, is_new=False)


@permission_required(ADMINISTER, raise_exception=True)
@require_POST
def reset_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget the app of somebody who has lost the phone, and end their sessions. One's own: recovery codes."""
    user = get_object_or_404(User, pk=pk)
    if asked := _not_without_password(request, reverse("users")):
        return asked
    try:
        users.forget_factor(request, user)
    except users.NotAllowed:
        return _not_allowed(request)
    messages.success(
        request, f"{name_of(user)}様の2段階認証をリセットしました。次回のログインで設定し直していただきます。"
    )
    return redirect("users")


@permission_required(ADMINISTER, raise_exception=True)
@require_POST
def set_active(request: HttpRequest, pk: int) -> HttpResponse:
    """Suspend a user, whose sessions end at once, or let them in again (`active`: 0 or 1)."""
    user = get_object_or_404(User, pk=pk)
    if asked := _not_without_password(request, reverse("users")):
        return asked
    active = request.POST.get("active") == "1"
    try:
        users.set_active(request, user, active=active)
    except users.NotAllowed:
        return _not_allowed(request)
    messages.success(request, f"{name_of(user)}様の利用を{'再開' if active else '停止'}しました。")
    return redirect("users")


def _not_without_password(request: HttpRequest, back: str) -> HttpResponse | None:
    """Not at a screen that somebody else has left open."""
    if reauthentication.is_recent(request):
        return None
    messages.info(request, "まだ何も変更していません。パスワードを確認してから、もう一度操作してください。")
    return redirect(reauthentication.address(back))


def _not_allowed(request: HttpRequest) -> HttpResponse:
    messages.error(
        request,
        "何も変更していません。ご自分のアカウントへの操作と、管理者の権限がなくなった後の操作はできません。"
        "ほかの管理者にご依頼ください。",
    )
    return redirect("users" if cast(User, request.user).has_perm(ADMINISTER) else "home")


def _password_page(request: HttpRequest, user: User, password: str, *, is_new: bool) -> HttpResponse:
    context: dict[str, Any] = {
        "person": user,
        "name": name_of(user),
        "password": password,
        "is_new": is_new,
        "days": initial_password.GOOD_FOR.days,
    }
    return render(request, "cagolab/user_password.html", context)
