"""Login, change of password, and the pages for what went wrong. What is shown at home is in cagolab.home."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from cagolab.audit.entries import Kind, record
from cagolab.forms import LoginForm, PasswordForm
from cagolab.htmx import HtmxRequest
from cagolab.middleware import page_of
from cagolab.security import initial_password, reauthentication, sessions


# Django's form views take PUT for POST, and send whoever is logged in home whatever the method.
@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class Login(LoginView):
    """ログイン. `next` leads back, to our own pages only; `lost` says that a click was not executed."""

    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Tell the page whether something was thrown away on the way here."""
        return super().get_context_data(lost="lost" in self.request.GET, **kwargs)


class Logout(LogoutView):
    """ログアウト, by a button only."""

    http_method_names = ["post", "options"]


class PasswordChange(PasswordChangeView):
    """パスワード変更; the present session goes on, the user's other ones end."""

    http_method_names = ["get", "head", "post", "options"]  # no PUT
    form_class = PasswordForm
    success_url = reverse_lazy("home")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Tell the page whether the password is still the one that an administrator has given."""
        is_initial = initial_password.must_change(self.request.session)
        return super().get_context_data(is_initial=is_initial, **kwargs)

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Save, and say so on the next page."""
        response = super().form_valid(form)
        reauthentication.given(self.request.session)
        initial_password.changed(form.user, self.request.session)
        sessions.end_all(form.user, but=self.request.session.session_key)
        record(
            Kind.PASSWORD, self.request, target=form.user.get_username(), detail="パスワードを変更しました。"
        )
        messages.success(
            self.request, "パスワードを変更しました。次回から新しいパスワードでログインしてください。"
        )
        return response


def csrf_failure(request: HtmxRequest, reason: str = "") -> HttpResponse:
    """The page was older than the session: nothing was executed, and the page is to be opened again."""
    back = page_of(request)
    if request.htmx:
        messages.error(
            request,
            "セッションの有効期限が切れました。操作は実行されていません。"
            "画面を開き直しましたので、内容をご確認のうえ、もう一度操作してください。",
        )
        return HttpResponseClientRedirect(back)
    return _error_page(
        request,
        status=403,
        title="セッションの有効期限が切れました",
        sentences=[
            "セッションの有効期限が切れました。操作は実行されていません。",
            "元の画面を開き直し、内容をご確認のうえ、もう一度操作してください。",
        ],
        back=back,
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: logged in, but the role does not allow it."""
    return _error_page(
        request,
        status=403,
        title="この操作を行う権限がありません",
        sentences=[
            "お使いのログインIDには、この画面を開く権限、またはこの操作を行う権限がありません。"
            "操作は実行されていません。",
            "必要なときは、管理者に権限の追加をご依頼ください。",
        ],
    )


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: no such page, order or run."""
    return _error_page(
        request,
        status=404,
        title="ページが見つかりません",
        sentences=[
            "お探しのページ、またはデータが見つかりませんでした。削除されたか、アドレスが間違っています。",
            "受注をお探しのときは、受注一覧で注文番号やお名前から検索してください。",
        ],
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: rendered without context processors, so that a failing database cannot break this page too."""
    return HttpResponse(render_to_string("errors/500.html"), status=500)


def _error_page(
    request: HttpRequest, *, status: int, title: str, sentences: list[str], back: str = ""
) -> HttpResponse:
    context = {"error_title": title, "sentences": sentences, "back": back}
    return render(request, "errors/page.html", context, status=status)
