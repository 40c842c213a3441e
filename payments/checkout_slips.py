"""What a customer needs who pays at a store or a bank: numbers, until when, and what to do there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateways.vocabulary import PAID_BY_NUMBER, MethodKind, PaymentStatus
from payments import panel_words
from payments.models import Payment

_KEYS = frozenset(
    {"store", "cvs_receipt_no", "cvs_conf_no", "bk_code", "cust_id", "conf_no", "payment_term", "finish_date"}
)
_HOW: Mapping[MethodKind, str] = MappingProxyType(
    {
        MethodKind.CVS: "お支払い先のコンビニのレジまたは店頭の端末で、受付番号と確認番号をお使いになり、"
        "お支払期限までに現金でお支払いください。",
        MethodKind.PAYEASY_ATM: "Pay-easy(ペイジー)マークのある銀行ATMで「税金・料金払込み」を選び、"
        "下の3つの番号を入力して、お支払期限までにお支払いください。",
        MethodKind.PAYEASY_NET: "ご利用の銀行のインターネットバンキングで「税金・料金払込み」を選び、"
        "下の3つの番号を入力して、お支払期限までにお支払いください。",
    }
)
_STANDS: Mapping[PaymentStatus, str] = MappingProxyType(
    {
        PaymentStatus.REQSUCCESS: "お支払いをお待ちしています",
        PaymentStatus.PAYSUCCESS: "お支払いを確認しました",
        PaymentStatus.EXPIRED: "お支払期限が過ぎたため、お支払いいただけません",
        PaymentStatus.CANCEL: "お支払いの受付は取り消されました",
    }
)


@dataclass(frozen=True, kw_only=True)
class Slip:
    """The slip of one payment. `url` leads to the choice of banks, empty where there is none."""

    stands: str
    rows: tuple[tuple[str, str], ...]
    how: str
    url: str


def slip(payment: Payment) -> Slip | None:
    """The slip of a payment with a number; None for other payments, and for one that was never taken in."""
    kind, status = MethodKind(payment.kind), PaymentStatus(payment.status)
    if kind not in PAID_BY_NUMBER or status not in _STANDS:
        return None
    waits = status is PaymentStatus.REQSUCCESS
    return Slip(
        stands=_STANDS[status],
        rows=tuple(
            (name, panel_words.reference_words(key, str(payment.references[key])))
            for key, name in panel_words.REFERENCE_ROWS
            if key in _KEYS and payment.references.get(key)
        ),
        how=_HOW[kind] if waits else "",
        url=str(payment.references.get("payeasy_payment_url", "")) if waits else "",
    )
