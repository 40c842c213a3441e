"""Form fields that take what a Japanese shop really types: full-width digits, commas, all sorts of hyphens."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator

PREFECTURES = tuple(
    """
    北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都 神奈川県
    新潟県 富山県 石川県 福井県 山梨県 長野県 岐阜県 静岡県 愛知県 三重県 滋賀県 京都府 大阪府 兵庫県
    奈良県 和歌山県 鳥取県 島根県 岡山県 広島県 山口県 徳島県 香川県 愛媛県 高知県 福岡県 佐賀県 長崎県
    熊本県 大分県 宮崎県 鹿児島県 沖縄県
    """.split()  # noqa: SIM905  (47 quoted names are harder to read)
)
DELIVERY_TIMES = ("午前中", "12時～14時", "14時～16時", "16時～18時", "18時～20時", "19時～21時")

# Far above any order of a shop, far below what an integer column holds after a multiplication.
MAX_YEN = 99_999_999
MAX_QUANTITY = 9_999

_HYPHENS = re.compile("[‐‑‒–—―−－ー]")
_AMOUNT_ORNAMENTS = re.compile(r"[,，、¥￥円\s]")


def half_width(value: str) -> str:
    """The text with full-width letters, digits and every kind of hyphen made plain."""
    return _HYPHENS.sub("-", unicodedata.normalize("NFKC", value)).strip()


class BoundField(forms.BoundField):
    """A field that draws itself in Bootstrap's classes, red when it has errors."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        """Add the class for the kind of control; Django adds aria-invalid and aria-describedby."""
        widget = widget or self.field.widget
        built = super().build_widget_attrs(attrs, widget)
        if not widget.is_hidden:
            control = "form-select" if isinstance(widget, forms.Select) else "form-control"
            classes = [widget.attrs.get("class", ""), control, "is-invalid" if self.errors else ""]
            built["class"] = " ".join(part for part in classes if part)
        return built


def _say_limits(field: forms.Field, *, minimum: str, maximum: str) -> None:
    """Tell the limits of a number in the words of the screen."""
    field.error_messages |= {MinValueValidator.code: minimum, MaxValueValidator.code: maximum}


class YenField(forms.IntegerField):
    """Whole yen; "２，０００円" is 2000."""

    def __init__(self, *, min_value: int = -MAX_YEN, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=MAX_YEN, **options)
        self.widget = forms.TextInput(
            attrs={"inputmode": "numeric", "class": "text-end", "autocomplete": "off"}
        )
        self.error_messages["invalid"] = "金額は整数（円）で入力してください。"
        self.error_messages["required"] = "金額を入力してください。"
        _say_limits(
            self,
            minimum=f"{min_value:,}以上で入力してください。",
            maximum=f"{MAX_YEN:,}以下で入力してください。",
        )

    def to_python(self, value: Any) -> int | None:
        """Read the number without ornaments."""
        if isinstance(value, str):
            value = _AMOUNT_ORNAMENTS.sub("", half_width(value))
        number: int | None = super().to_python(value)
        return number


class QuantityField(YenField):
    """How many of a line: 1 to MAX_QUANTITY."""

    def __init__(self, **options: Any) -> None:
        forms.IntegerField.__init__(self, min_value=1, max_value=MAX_QUANTITY, **options)
        self.widget = forms.TextInput(
            attrs={"inputmode": "numeric", "class": "text-end", "autocomplete": "off"}
        )
        self.error_messages["invalid"] = "数量は整数で入力してください。"
        self.error_messages["required"] = "数量を入力してください。"
        _say_limits(
            self,
            minimum="数量は1以上で入力してください。",
            maximum=f"数量は{MAX_QUANTITY:,}以下で入力してください。",
        )


class RateField(forms.DecimalField):
    """A tax rate in percent with at most one decimal, 0 to 100."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=100, max_digits=4, decimal_places=1, **options)
        self.widget = forms.TextInput(
            attrs={"inputmode": "decimal", "class": "text-end", "autocomplete": "off"}
        )
        self.error_messages["invalid"] = "税率は0から100までの数字で入力してください。"
        self.error_messages["required"] = "税率を入力してください。"
        range_words = "税率は0から100までの数字で入力してください。"
        _say_limits(self, minimum=range_words, maximum=range_words)

    def to_python(self, value: Any) -> Any:
        """Read full-width digits and a percent sign too."""
        return super().to_python(half_width(value).rstrip("%") if isinstance(value, str) else value)


class PlainTextField(forms.CharField):
    """Text of codes and numbers: made half-width first, then matched against a pattern."""

    def __init__(self, *, pattern: str, message: str, **options: Any) -> None:
        super().__init__(validators=[RegexValidator(pattern, message)], **options)

    def to_python(self, value: Any) -> str:
        """Make the text half-width before it is measured and matched."""
        return super().to_python(half_width(value) if isinstance(value, str) else value) or ""


class PostalCodeField(PlainTextField):
    """〒 with or without the hyphen; kept as 123-4567."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            pattern=r"\A(\d{3}-\d{4})?\Z",
            message="郵便番号は「123-4567」のように7桁の数字で入力してください。",
            **options,
        )
        self.widget.attrs["inputmode"] = "numeric"

    def to_python(self, value: Any) -> str:
        """Put the hyphen in where only digits were typed."""
        text = super().to_python(value).removeprefix("〒")
        return f"{text[:3]}-{text[3:]}" if re.fullmatch(r"[0-9]{7}", text) else text


def phone_field(**options: Any) -> PlainTextField:
    """A telephone number: digits, hyphens, a leading plus."""
    return PlainTextField(
        pattern=r"\A(\+?[0-9-]{6,20})?\Z",
        message="電話番号は数字とハイフンで入力してください。",
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
        **options,
    )


def reject_control_characters(value: str) -> None:
    """Refuse line breaks and other control characters, which end up in mail headers and CSV lines."""
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise ValidationError("改行などの制御文字は使用できません。")


def line_field(*, max_length: int, **options: Any) -> forms.CharField:
    """One line of free text."""
    return forms.CharField(max_length=max_length, validators=[reject_control_characters], **options)
