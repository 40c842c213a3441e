"""Login, passwords and codes: Django's forms, in the words and the look of this back office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from cagolab.security import initial_password, throttle
from cagolab.security.addresses import address_of

LOGIN_LOCKED = (
    f"ログインの失敗が続いたため、ログインを一時的に停止しています。{throttle.LOCK_MINUTES}分ほど待ってから"
    "もう一度お試しください。お急ぎのときは、管理者に停止の解除をご依頼ください。"
)
PASSWORD_LOCKED = (
    f"パスワードの誤りが続いたため、確認を一時的に停止しています。{throttle.LOCK_MINUTES}分ほど待ってから"
    "もう一度お試しください。"
)
INITIAL_EXPIRED = (
    "初期パスワードの有効期限が切れています。管理者に、新しい初期パスワードの発行をご依頼ください。"
)
PASSWORD_SAME = "現在のパスワードとは違うパスワードを入力してください。"  # noqa: S105
PASSWORD_WRONG = "現在のパスワードが正しくありません。もう一度入力してください。"  # noqa: S105


class LoginForm(AuthenticationForm):
    """ログインID and パスワード; one message for every failure, so that nobody learns which ids exist.

    Every try is counted before it is looked at (cagolab.security.throttle).
    """

    error_messages = {
        "invalid_login": (
            "ログインできませんでした。ログインIDとパスワードをもう一度ご確認ください。"
            "大文字と小文字は区別されます。"
        ),
        "inactive": "このアカウントは現在ご利用いただけません。管理者にお問い合わせください。",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "ログインID"
        self.fields["username"].error_messages["required"] = "ログインIDを入力してください。"
        self.fields["password"].error_messages["required"] = "パスワードを入力してください。"
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control"

    def clean(self) -> dict[str, Any]:
        """Look at the password, unless this login id was wrong too often from here."""
        username = self.cleaned_data.get("username")
        if username is None or not self.cleaned_data.get("password"):
            return self.cleaned_data
        address = address_of(self.request) if self.request is not None else None
        if not throttle.begin_login(username, address):
            raise ValidationError(LOGIN_LOCKED, code="locked")
        try:
            cleaned = super().clean()
        except ValidationError:
            throttle.login_failed(username, address)
            raise
        throttle.login_succeeded(username, address)
        return cleaned

    def confirm_login_allowed(self, user: User) -> None:
        """Not with an initial password that nobody has used in time. Told to whoever knows it only."""
        super().confirm_login_allowed(user)
        if initial_password.is_expired(user):
            raise ValidationError(INITIAL_EXPIRED, code="initial_expired")


class PasswordForm(PasswordChangeForm):
    """The present password once, the new one twice."""

    error_messages = {
        "password_mismatch": "新しいパスワードが確認用と一致しません。もう一度入力してください。",
        "password_incorrect": PASSWORD_WRONG,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {
            "old_password": "現在のパスワード",
            "new_password1": "新しいパスワード",
            "new_password2": "新しいパスワード(確認用)",
        }
        for name, label in labels.items():
            self.fields[name].label = label
            self.fields[name].error_messages["required"] = f"{label}を入力してください。"
            self.fields[name].widget.attrs["class"] = "form-control"

    def clean_old_password(self) -> str:
        """Whoever sits at a forgotten screen has ten tries."""
        return checked_password(self.user, self.cleaned_data["old_password"])

    def clean_new_password1(self) -> str:
        """Another one than before, above all than the one that an administrator has seen."""
        new: str = self.cleaned_data["new_password1"]
        if new == self.cleaned_data.get("old_password"):
            raise ValidationError(PASSWORD_SAME, code="password_same")
        return new


class PasswordAgainForm(forms.Form):
    """The password of the user who is logged in, before something large."""

    password = forms.CharField(
        label="パスワード",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "current-password"}),
        error_messages={"required": "パスワードを入力してください。"},
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Right, or wrong for at most ten times."""
        return checked_password(self.user, self.cleaned_data["password"])


class CodeForm(forms.Form):
    """The six digits of an authenticator app, or a recovery code."""

    code = forms.CharField(
        label="認証コード",
        max_length=40,
        widget=forms.TextInput(
            attrs={"class": "form-control", "autocomplete": "one-time-code", "inputmode": "text"}
        ),
        error_messages={"required": "認証コードを入力してください。"},
    )


def checked_password(user: User, password: str) -> str:
    """The password, when it is the user's. Raises ValidationError, also after ten wrong ones."""
    if not throttle.claim(throttle.PASSWORD, str(user.pk), user=user):
        raise ValidationError(PASSWORD_LOCKED, code="locked")
    if not user.check_password(password):
        raise ValidationError(PASSWORD_WRONG, code="password_incorrect")
    throttle.clear(throttle.PASSWORD, str(user.pk))
    return password
