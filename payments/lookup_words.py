"""What a person looks up on a provider's own screen when an operation is 要判断, and what then follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """Where to look, what our number is called there, what the provider's is called, and what to compare."""

    screen: str
    our_number: str
    their_number: str
    shape: str
    compare: str
    # What the product does with a trade that was found.
    afterwards: str


_LOOKUPS: Mapping[str, Lookup] = MappingProxyType(
    {
        "sbps": Lookup(
            screen="SBPSの管理画面の取引検索",
            our_number="購入ID",
            their_number="トラッキングID",
            shape="14桁の数字(先頭の0も入力してください)",
            compare="SBPSは照会で購入IDと金額を回答しないため、必ず管理画面で見比べてください。",
            afterwards=(
                "SBPSに照会し、確定していない与信であれば取り消します(請求はされません。お客様に再度のご購入をご案内ください)。"
                "確定済みであれば、この受注の決済として採用します。"
            ),
        ),
        "paygent": Lookup(
            screen="ペイジェントオンラインの決済情報検索",
            our_number="マーチャント取引ID",
            their_number="決済ID",
            shape="数字",
            compare="取引IDと金額は、照会でも確認します。違うときは何も変えません。",
            afterwards="ペイジェントに照会し、そのときの状態をこの受注の決済に反映します。金額変更の途中であれば、続きを行います。",
        ),
    }
)


def of(provider: str) -> Lookup:
    """The words for a provider whose trades a person may have to look up. Raises KeyError for any other."""
    return _LOOKUPS[provider]
