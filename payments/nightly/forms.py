"""The form of 夜間処理の設定."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings as django_settings
from django.http import QueryDict

from payments.models import NightlyJob, NightlySettings

MAX_DAYS = 365
_HELP = {
    NightlyJob.Kind.STALE_ORDERS: "取り消した注文、判断が必要な注文をメールでお知らせします。",
    NightlyJob.Kind.DEADLINE_WATCH: (
        "期限が14日以内の仮売上の受注をメールでお知らせします。該当する受注がない日は送りません。"
    ),
    NightlyJob.Kind.RECONCILIATION: (
        "当店の記録を決済代行会社の状態と比べ、異なるものを差異一覧に表示します。当店の記録は変わりません。"
    ),
}
_HOURS = [(hour, f"{hour}時") for hour in range(24)]


class NightlyForm(forms.Form):
    """All settings of the nightly jobs; hours are Tokyo's, days full days since 受注日."""

    pending_days = forms.IntegerField(
        label="決済処理中の日数",
        min_value=1,
        max_value=MAX_DAYS,
        help_text="受注日からこの日数を過ぎた「決済処理中」の注文を取り消します。標準は7日です。",
    )
    cart_days = forms.IntegerField(
        label="購入処理中の日数",
        min_value=1,
        max_value=MAX_DAYS,
        help_text="受注日からこの日数を過ぎた「購入処理中」の注文を取り消します。標準は7日です。",
    )
    mail_to = forms.EmailField(required=False, label="お知らせメールの宛先", max_length=254)

    def __init__(
        self,
        posted: QueryDict | None,
        *,
        settings: NightlySettings,
        jobs: Mapping[NightlyJob.Kind, NightlyJob],
    ) -> None:
        initial: dict[str, Any] = {
            "pending_days": settings.pending_days,
            "cart_days": settings.cart_days,
            "mail_to": settings.mail_to,
        }
        for kind, row in jobs.items():
            initial |= {f"{kind.value}_on": row.is_on, f"{kind.value}_hour": row.hour}
        super().__init__(posted, initial=initial)
        for kind in jobs:
            self.fields[f"{kind.value}_on"] = forms.BooleanField(
                required=False, label=f"{kind.label}を毎日自動で実行する"
            )
            self.fields[f"{kind.value}_hour"] = forms.TypedChoiceField(
                label=f"{kind.label}の時刻",
                choices=_HOURS,
                coerce=int,
                help_text=_HELP.get(kind, ""),
            )
        self.order_fields([f"{kind.value}_{part}" for kind in jobs for part in ("on", "hour")])
        self.fields[
            "mail_to"
        ].help_text = (
            f"空欄のときは、ショップのメールアドレス（{django_settings.DEFAULT_FROM_EMAIL}）に送ります。"
        )
        for name, field in self.fields.items():
            self._word(name, field)

    def schedule_of(self, kind: NightlyJob.Kind) -> tuple[bool, int]:
        """Whether the job is on, and its hour, as entered."""
        return self.cleaned_data[f"{kind.value}_on"], self.cleaned_data[f"{kind.value}_hour"]

    def _word(self, name: str, field: forms.Field) -> None:
        field.error_messages["required"] = f"{field.label}を入力してください。"
        field.error_messages["invalid_choice"] = f"{field.label}を一覧から選択してください。"
        if isinstance(field, forms.BooleanField):
            field.widget.attrs["class"] = "form-check-input"
        elif isinstance(field, forms.ChoiceField):
            field.widget.attrs["class"] = "form-select"
        else:
            field.widget.attrs["class"] = "form-control"
        if isinstance(field, forms.IntegerField):
            sentence = f"{field.label}は1から{MAX_DAYS}日までの整数で入力してください。"
            field.error_messages |= dict.fromkeys(("invalid", "min_value", "max_value"), sentence)
            field.widget.attrs["inputmode"] = "numeric"
        if isinstance(field, forms.EmailField):
            # Never on the validator itself: it is one object for every form of the process.
            field.error_messages["invalid"] = "メールアドレスの形式で入力してください。"
