"""The forms of 利用者: who somebody is, and what their role allows."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from cagolab.roles import ROLES

_MEANINGS = {
    "閲覧": "受注と決済を見る",
    "受注編集": "＋ 受注の編集、メール送信、ファイル出力を行う",
    "決済操作": "＋ 売上・取消・金額変更を行う(2段階認証が必要)",
    "管理者": "＋ 設定と利用者を管理する",
}
_CONTROL = forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"})


class RoleForm(forms.Form):
    """Name and role of somebody who has a login."""

    last_name = forms.CharField(
        label="姓", max_length=30, widget=_CONTROL, error_messages={"required": "姓を入力してください。"}
    )
    first_name = forms.CharField(label="名", max_length=30, required=False, widget=_CONTROL)
    role = forms.ChoiceField(
        label="権限",
        choices=[(role, f"{role}：{_MEANINGS[role]}") for role in ROLES],
        widget=forms.Select(attrs={"class": "form-select"}),
        error_messages={
            "required": "権限を選択してください。",
            "invalid_choice": "権限を一覧から選択してください。",
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("last_name", "first_name"):
            field = self.fields[name]
            field.error_messages["max_length"] = f"{field.label}は30文字以内で入力してください。"


class NewUserForm(RoleForm):
    """A new login. Ids that differ by case or width only would be mistaken for each other: one of them exists."""

    username = forms.CharField(
        label="ログインID",
        max_length=60,
        widget=_CONTROL,
        validators=[
            RegexValidator(
                r"\A[0-9A-Za-z@.+_-]+\Z", "ログインIDは半角の英数字と @ . + - _ で入力してください。"
            )
        ],
        error_messages={
            "required": "ログインIDを入力してください。",
            "max_length": "ログインIDは60文字以内で入力してください。",
        },
    )
    field_order = ("username", "last_name", "first_name", "role")

    def clean_username(self) -> str:
        """One that nobody has."""
        username = unicodedata.normalize("NFKC", self.cleaned_data["username"])
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError("このログインIDはすでに使われています。別のログインIDを入力してください。")
        return username
