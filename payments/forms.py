"""Forms of the payment screens: shape only; what may be done is decided in payments.decisions."""

from __future__ import annotations

from typing import Any

from django import forms

from gateways import registry
from gateways.vocabulary import PaymentStatus
from payments.models import GatewayAccount

_RELOAD = "画面を読み込み直して、もう一度操作してください。何も実行していません。"


class ChoiceForm(forms.Form):
    """What the operator has chosen in the confirm dialog so far."""

    target = forms.ChoiceField(
        required=False,
        choices=[(value, value) for value in (PaymentStatus.AUTH.value, PaymentStatus.CAPTURE.value)],
        error_messages={"invalid_choice": f"変更後の取引状態の指定が正しくありません。{_RELOAD}"},
    )
    mode = forms.ChoiceField(
        required=False,
        choices=[(value, value) for value in ("change_first", "as_is")],
        error_messages={"invalid_choice": f"売上金額の指定が正しくありません。{_RELOAD}"},
    )
    # 売上・返金日 (SB-1), where the provider needs one.
    on = forms.DateField(
        required=False,
        error_messages={
            "invalid": f"売上・返金日は「2026-12-31」のように実在する日付で入力してください。{_RELOAD}"
        },
    )
    # Tells an unticked box from a dialog that is opened for the first time.
    asked = forms.BooleanField(required=False)
    follow = forms.BooleanField(required=False)

    @property
    def first_error(self) -> str:
        """The sentence to show when the form is not valid."""
        return str(next(iter(self.errors.values()))[0])


class ActionForm(ChoiceForm):
    """What the confirm dialog posts: the one-time key and the decision that was shown."""

    key = forms.UUIDField(
        error_messages={
            "required": f"送信された内容が不完全です。{_RELOAD}",
            "invalid": f"送信された内容が正しくありません。{_RELOAD}",
        }
    )
    shown = forms.CharField(
        max_length=200, error_messages={"required": f"送信された内容が不完全です。{_RELOAD}"}
    )
    second = forms.BooleanField(required=False)


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """The rules of one contract; credentials are in the environment and not here."""

    class Meta:
        model = GatewayAccount
        fields = (
            "name",
            "checkout_target",
            "capture_days",
            "change_days",
            "changes_captured_amount",
            "closing_day",
            "follow_capture",
            "follow_cancel",
            "max_concurrent_calls",
            "max_calls_per_second",
            "notice_poll_minutes",
            "notice_numbers_are_consecutive",
        )
        labels = {
            "follow_capture": "売上の確認画面で「対応状況を入金済みにする」を選んでおく",
            "follow_cancel": "取消の確認画面で「対応状況を注文取消しにする」を選んでおく",
            "notice_numbers_are_consecutive": "通知IDが連番の契約である",
            "changes_captured_amount": "売上確定後の金額変更を、1回の操作で直接行える契約である",
        }
        help_texts = {
            "checkout_target": "購入時と、再オーソリの初期値に使います。即時売上では売上処理が不要になります。",
            "capture_days": "与信日から何日後まで売上を確定できるか(その日を含む)。GMO-PGの標準は90日です。",
            "change_days": "与信日・売上日から何日後まで取消・金額変更ができるか(その日を含む)。標準は180日です。",
            "changes_captured_amount": (
                "外すと、売上確定後の金額変更は「取消・再オーソリ・金額変更・売上」の4段階で案内します。"
            ),
            "closing_day": (
                "カード会社の締め日(毎月何日)。31は月末です。空欄のときは、売上の翌日以降の金額変更で毎回注意を表示します。"
            ),
            "max_concurrent_calls": "決済代行会社へ同時に行う通信の数。すべての担当者と一括処理の合計です。",
            "max_calls_per_second": "決済代行会社へ1秒あたりに行う通信の数。",
            "notice_poll_minutes": (
                "届かなかった通知がないか、何分ごとに確認するか。0にすると確認しません。"
                "同じ接続IDの差分照会を別のシステムでも使っているときは、通知を取り合わないように0にしてください。"
            ),
            "notice_numbers_are_consecutive": (
                "選ぶと、通知IDが抜けているとき、その通知を番号で取り直します。ご契約の仕様書で確認できたときだけ選んでください。"
            ),
        }

    # What an operator may set without asking the provider: beyond these a typing error is more likely.
    _LIMITS = {
        "capture_days": (1, 365, "日"),
        "change_days": (1, 730, "日"),
        "closing_day": (1, 31, "日"),
        "max_concurrent_calls": (1, 64, ""),
        "max_calls_per_second": (1, 500, "回"),
        "notice_poll_minutes": (0, 1440, "分"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not registry.has_notice_queue(self.instance.provider):
            del self.fields["notice_poll_minutes"], self.fields["notice_numbers_are_consecutive"]
        for name, field in self.fields.items():
            label = str(field.label)
            field.error_messages["invalid_choice"] = f"{label}を一覧から選択してください。"
            field.error_messages["required"] = f"{label}を入力してください。"
            if name in self._LIMITS:
                lowest, highest, unit = self._LIMITS[name]
                range_message = f"{label}は{lowest}から{highest}{unit}までの整数で入力してください。"
                for code in ("invalid", "min_value", "max_value"):
                    field.error_messages[code] = range_message
                field.widget.attrs.update({"min": lowest, "max": highest, "inputmode": "numeric"})
            if isinstance(field, forms.BooleanField):
                field.widget.attrs["class"] = "form-check-input"
            else:
                style = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
                field.widget.attrs["class"] = style

    def clean(self) -> dict[str, Any] | None:
        """Numbers in their ranges, and no change deadline before the capture deadline."""
        cleaned = super().clean()
        values = cleaned if cleaned is not None else self.cleaned_data
        for name, (lowest, highest, unit) in self._LIMITS.items():
            value = values.get(name)
            if value is not None and not lowest <= value <= highest:
                label = self.fields[name].label
                self.add_error(name, f"{label}は{lowest}から{highest}{unit}までの整数で入力してください。")
        capture_days, change_days = values.get("capture_days"), values.get("change_days")
        if capture_days and change_days and change_days < capture_days:
            self.add_error("change_days", "取消・金額変更の期限は、実売上の期限以上の日数にしてください。")
        return cleaned
