"""The second factor of one's own account, and the password asked for again."""

from __future__ import annotations

import io
import unicodedata

import segno
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from cagolab.audit.entries import Kind, record
from cagolab.forms import CodeForm, PasswordAgainForm
from cagolab.models import RecoveryCode
from cagolab.security import reauthentication, second_factor, sessions, throttle
from cagolab.shop import shop_name

CODE_WRONG = "認証コードが正しくありません。アプリに今表示されている6桁の数字を入力してください。"
CODE_LOCKED = (
    f"認証コードの誤りが続いたため、確認を一時的に停止しています。{throttle.LOCK_MINUTES}分ほど待ってから"
    "もう一度お試しください。"
)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login_code(request: HttpRequest) -> HttpResponse:
    """認証コード: the second step of a login."""
    user = _user(request)
    if not second_factor.is_wanted(request.session):
        return redirect(_back(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not throttle.claim(throttle.CODE, str(user.pk), user=user):
            form.add_error("code", CODE_LOCKED)
        elif not second_factor.verify(user, _narrow(form.cleaned_data["code"])):
            record(Kind.LOGIN_FAILED, request, target=user.get_username(), detail="認証コードが違います。")
            form.add_error("code", CODE_WRONG)
        else:
            throttle.clear(throttle.CODE, str(user.pk))
            request.session[second_factor.STATE] = second_factor.PASSED
            request.session.cycle_key()
            record(
                Kind.SECOND_FACTOR, request, target=user.get_username(), detail="認証コードを確認しました。"
            )
            _warn_of_few_codes(request, user)
            return redirect(_back(request))
    context = {"form": form, "next": request.POST.get("next", request.GET.get("next", ""))}
    return render(request, "cagolab/two_factor_code.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def own_second_factor(request: HttpRequest) -> HttpResponse:
    """2段階認証: set up the app, or, once it is, make new recovery codes."""
    user = _user(request)
    if not reauthentication.is_recent(request):
        return redirect(reauthentication.address(request.path))
    if second_factor.has(user):
        if request.method == "POST":
            codes = second_factor.new_recovery_codes(user)
            record(
                Kind.SECOND_FACTOR, request, target=user.get_username(), detail="復旧コードを作り直しました。"
            )
            return render(request, "cagolab/two_factor_codes.html", {"codes": codes, "next": ""})
        left = RecoveryCode.objects.filter(user=user).count()
        return render(request, "cagolab/two_factor.html", {"codes_left": left})
    return _enrol(request, user)


def _enrol(request: HttpRequest, user: User) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not throttle.claim(throttle.CODE, str(user.pk), user=user):
            form.add_error("code", CODE_LOCKED)
        elif codes := second_factor.enrol(user, request.session, _narrow(form.cleaned_data["code"])):
            throttle.clear(throttle.CODE, str(user.pk))
            sessions.end_all(user, but=request.session.session_key)
            record(
                Kind.SECOND_FACTOR, request, target=user.get_username(), detail="認証アプリを設定しました。"
            )
            return render(request, "cagolab/two_factor_codes.html", {"codes": codes, "next": _back(request)})
        else:
            form.add_error("code", CODE_WRONG)
    secret = second_factor.pending_secret(request.session)
    context = {
        "form": form,
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "is_required": second_factor.must_enrol(user, request.session),
        "next": request.POST.get("next", request.GET.get("next", "")),
    }
    return render(request, "cagolab/two_factor_enrol.html", context, status=422 if form.errors else 200)


@never_cache
@require_safe
def second_factor_qr(request: HttpRequest) -> HttpResponse:
    """The QR code of the app that is being set up in this session."""
    user = _user(request)
    if second_factor.PENDING not in request.session or not reauthentication.is_recent(request):
        raise Http404("no app is being set up")
    secret = second_factor.pending_secret(request.session)
    image = io.BytesIO()
    code = segno.make(second_factor.address_for_app(user, secret, shop=shop_name()), error="m")
    code.save(image, kind="svg", scale=5, border=4, light="#fff")
    return HttpResponse(image.getvalue(), content_type="image/svg+xml")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password_confirm(request: HttpRequest) -> HttpResponse:
    """パスワードの確認: afterwards the browser is where it was, and nothing was executed meanwhile."""
    user = _user(request)
    form = PasswordAgainForm(user, request.POST or None)
    if request.method == "POST":
        if form.is_valid():
            reauthentication.given(request.session)
            record(Kind.PASSWORD, request, target=user.get_username(), detail="パスワードを再確認しました。")
            return redirect(_back(request))
        record(
            Kind.PASSWORD, request, target=user.get_username(), detail="パスワードの再確認に失敗しました。"
        )
    context = {"form": form, "next": request.POST.get("next", request.GET.get("next", ""))}
    return render(request, "cagolab/password_confirm.html", context, status=422 if form.errors else 200)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (the middleware lets nobody else through)
    return request.user


def _back(request: HttpRequest) -> str:
    """Where to go on: a page of ours, otherwise home."""
    address = request.POST.get("next", request.GET.get("next", ""))
    allowed = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if address and allowed else resolve_url("home")


def _narrow(code: str) -> str:
    """Full-width digits are digits."""
    return unicodedata.normalize("NFKC", code)


def _warn_of_few_codes(request: HttpRequest, user: User) -> None:
    left = RecoveryCode.objects.filter(user=user).count()
    if left <= 2:
        messages.warning(
            request,
            f"2段階認証の復旧コードの残りは{left}件です。右上のメニューの「2段階認証」で新しく作り直してください。",
        )
