"""The form of one mail about an order."""

from __future__ import annotations

from django import forms

from orders.forms.fields import BoundField, line_field

MAX_BODY_CHARACTERS = 20_000


class MailForm(forms.Form):
    """宛先, 件名 and 本文. Line breaks in the first two never get further than this form."""

    bound_field_class = BoundField

    key = forms.UUIDField(widget=forms.HiddenInput)
    to = forms.EmailField(
        label="宛先",
        max_length=254,
        error_messages={
            "required": "宛先を入力してください。",
            "invalid": "宛先は「name@example.jp」のようなメールアドレスを1件だけ入力してください。",
        },
    )
    subject = line_field(
        label="件名", max_length=200, error_messages={"required": "件名を入力してください。"}
    )
    body = forms.CharField(
        label="本文",
        max_length=MAX_BODY_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 22, "class": "mail-input"}),
        error_messages={"required": "本文を入力してください。"},
    )
