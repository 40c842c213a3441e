"""What the customer is told after a try to pay that did not go through; operators read the 決済ログ instead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateways.outcomes import ReasonKind
from payments.models import Operation

_OTHER_CARD = "カード会社の承認が得られませんでした。請求はされていません。別のカードをお試しいただくか、カートに戻ってください。"
_NOT_AVAILABLE = "ただいまカードでのお支払いをご利用いただけません。請求はされていません。しばらくしてからもう一度お試しください。"
_BY_KIND: Mapping[str, str] = MappingProxyType(
    {
        ReasonKind.CARD_REFUSED.value: _OTHER_CARD,
        ReasonKind.CARD_DATA_WRONG.value: (
            "カード番号・有効期限・セキュリティコード・お支払い回数をご確認のうえ、もう一度入力してください。"
            "請求はされていません。"
        ),
    }
)
CONTRADICTED = (
    "お支払いの状態を当店で確認しています。もう一度お支払いにならずに、当店にお問い合わせください。"
)
CHOICE_MISSING = "入力内容を確認できませんでした。お支払いになるコンビニを選んで、もう一度お進みください。"
_REQUEST_FAILED = (
    "お支払いの受付ができませんでした。ご注文はまだ完了していません。"
    "お名前・フリガナ・電話番号をご確認のうえもう一度お試しいただくか、カートに戻って別のお支払方法をお選びください。"
)
CARD_MISSING = "カード情報を確認できませんでした。もう一度入力してください。"
CARD_FORGOTTEN = "登録済みのカードを削除しました。"
CARD_NOT_FORGOTTEN = "カードを削除できませんでした。しばらくしてから、もう一度お試しください。"
OTHER_ORDER = (
    "別の画面で新しいご注文の手続きが始まっているため、この画面からはお支払いいただけません。"
    "お支払いは行っていません。"
)


def of_failed(operation: Operation) -> str:
    """The sentence for an authorization that ended without success."""
    if operation.state == Operation.State.CONTRADICTED:
        return CONTRADICTED
    if operation.state in (Operation.State.DECLINED, Operation.State.REFUSED):
        return _BY_KIND.get(operation.reason_kind, _NOT_AVAILABLE)
    return _NOT_AVAILABLE


def of_failed_request(operation: Operation) -> str:
    """The sentence for a request for a number that ended without one."""
    return CONTRADICTED if operation.state == Operation.State.CONTRADICTED else _REQUEST_FAILED
