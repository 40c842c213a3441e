"""Beginning a payment that is not made by card: EntryTran<kind>, then ExecTran<kind> (protocol 2.9 to 2.12).

No money moves here: the customer pays at the store or bank, or agrees on the payer's own pages, and GMO-PG tells by
notification. An answer that was lost is found again by SearchTradeMulti, with the customer's numbers in it.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass

from gateways.gmopg import wire
from gateways.gmopg.account import Account
from gateways.gmopg.line import Failure, Line, unreadable
from gateways.gmopg.messages import ShopRequest
from gateways.gmopg.request_messages import (
    ConsentAnswer,
    ConsentRequest,
    EntryAnswer,
    EntryTranAu,
    EntryTranCvs,
    EntryTranDocomo,
    EntryTranPayEasy,
    EntryTranRakutenId,
    EntryTranSb,
    ExecTranAu,
    ExecTranCvs,
    ExecTranCvsAnswer,
    ExecTranDocomo,
    ExecTranPayEasy,
    ExecTranPayEasyAnswer,
    ExecTranRakutenId,
    ExecTranSb,
)
from gateways.gmopg.stores import store_name
from gateways.interface import Journal, Payer, PaymentReference, PaymentRequest
from gateways.outcomes import Approved, Outcome, Reason, ReasonKind, Refused, Trade
from gateways.vocabulary import PAID_BY_CONSENT, PAID_BY_NUMBER, MethodKind

# Business ceilings in yen (protocol 7); docomo's own lower one depends on the customer's contract.
HIGHEST_AMOUNTS = {
    MethodKind.CVS: 299_999,
    MethodKind.PAYEASY_ATM: 999_999,
    MethodKind.PAYEASY_NET: 999_999,
    MethodKind.AU: 9_999_999,
    MethodKind.DOCOMO: 999_999,
    MethodKind.SOFTBANK: 100_000,
    MethodKind.RAKUTEN: 99_999_999,
}

# A week to pay: long enough for a pay day in most of them, short enough for the goods that wait (30 at most).
_TERM_DAYS = "7"
# Ten minutes to agree; two, GMO-PG's default, are too few for somebody who has forgotten the password.
_TERM_SECONDS = "600"
_NET_BANK = "E"
_GOODS = "ご注文商品"
# GMO-PG counts the names' length in CP932.
_NAME_BYTES = 40

_NO_CONTACT = Refused(
    reason=Reason(
        kind=ReasonKind.CREDENTIALS,
        text=(
            "この支払方法に必要なお問い合わせ先(店名・電話番号・受付時間・メールアドレス)が、決済アカウントに"
            "設定されていません。設定をご確認ください。"
        ),
    )
)
_ENTRIES: dict[MethodKind, type[EntryTranAu]] = {
    MethodKind.AU: EntryTranAu,
    MethodKind.DOCOMO: EntryTranDocomo,
    MethodKind.SOFTBANK: EntryTranSb,
    MethodKind.RAKUTEN: EntryTranRakutenId,
}


@dataclass(frozen=True)
class _Begun:
    """A trade that stands open at GMO-PG and waits for the customer's number or page."""

    account: Account
    payment: PaymentReference
    payer: Payer
    opened: EntryAnswer


def request_payment(
    account: Account, line: Line, payment: PaymentReference, request: PaymentRequest, journal: Journal
) -> Outcome:
    """Open the trade, then ask for the customer's number or page. Raises ValueError for cards."""
    if payment.kind not in PAID_BY_NUMBER | PAID_BY_CONSENT:
        raise ValueError(f"a payment by {payment.kind} does not begin with a request")
    if not all((account.contact_name, account.contact_phone, account.contact_hours, account.contact_mail)):
        return _NO_CONTACT
    opened = line.ask(_entry(account, payment, request), EntryAnswer, journal)
    if not isinstance(opened, EntryAnswer):
        return opened
    journal.remember(access_id=opened.access_id)
    begun = _Begun(account, payment, request.payer, opened)
    if payment.kind is MethodKind.CVS:
        return _at_a_store(begun, line, journal)
    if payment.kind in PAID_BY_NUMBER:
        return _at_a_bank(begun, line, journal)
    return _by_consent(begun, line, journal)


def _entry(account: Account, payment: PaymentReference, request: PaymentRequest) -> ShopRequest:
    shop, order_id, amount = _shop(account), payment.order_id, request.amount
    if payment.kind is MethodKind.CVS:
        return EntryTranCvs(**shop, order_id=order_id, amount=amount)
    if payment.kind in PAID_BY_NUMBER:
        return EntryTranPayEasy(**shop, order_id=order_id, amount=amount)
    entry = _ENTRIES[payment.kind]
    return entry(**shop, order_id=order_id, amount=amount, job_cd=request.target.value)


def _at_a_store(begun: _Begun, line: Line, journal: Journal) -> Outcome:
    telegram = ExecTranCvs(
        **_counter(begun),
        mail_address=begun.payer.email or None,
        convenience=begun.payer.store,
    )
    answer = line.ask(telegram, ExecTranCvsAnswer, journal)
    if not isinstance(answer, ExecTranCvsAnswer):
        return answer
    parts = (
        answer.order_id,
        answer.convenience,
        answer.conf_no,
        answer.receipt_no,
        answer.payment_term,
        answer.tran_date,
    )
    if not _is_sealed(begun.account, parts, answer.check_string):
        return unreadable("check_string")
    return _requested(
        begun,
        answer.order_id,
        cvs_code=answer.convenience,
        store=store_name(answer.convenience),
        cvs_conf_no=answer.conf_no,
        cvs_receipt_no=answer.receipt_no,
        payment_term=answer.payment_term,
    )


def _at_a_bank(begun: _Begun, line: Line, journal: Journal) -> Outcome:
    by_net = begun.payment.kind is MethodKind.PAYEASY_NET
    telegram = ExecTranPayEasy(
        **_counter(begun),
        mail_address=begun.payer.email or None,
        payment_type=_NET_BANK if by_net else None,
    )
    answer = line.ask(telegram, ExecTranPayEasyAnswer, journal)
    if not isinstance(answer, ExecTranPayEasyAnswer):
        return answer
    return _requested(
        begun,
        answer.order_id,
        cust_id=answer.cust_id,
        bk_code=answer.bk_code,
        conf_no=answer.conf_no,
        payment_term=answer.payment_term,
        payeasy_payment_url=answer.payment_url,
    )


def _by_consent(begun: _Begun, line: Line, journal: Journal) -> Outcome:
    answer: ConsentAnswer | Failure = line.ask(_consent(begun), ConsentAnswer, journal)
    if not isinstance(answer, ConsentAnswer):
        return answer
    if answer.access_id.lower() != begun.opened.access_id.lower():
        return unreadable("access_id")
    return Approved(
        trade=Trade(
            references={
                "access_id": begun.opened.access_id,
                "start_url": answer.start_url,
                "start_limit": answer.start_limit_date,
            },
            secrets={"access_pass": begun.opened.access_pass, "start_token": answer.token},
        )
    )


def _counter(begun: _Begun) -> dict[str, str]:
    return {
        "access_id": begun.opened.access_id,
        "access_pass": begun.opened.access_pass,
        "order_id": begun.payment.order_id,
        "customer_name": _cut(_wide(begun.payer.name)),
        "customer_kana": _cut(_katakana(begun.payer.kana)),
        "tel_no": begun.payer.phone,
        "payment_term_day": _TERM_DAYS,
        "receipts_disp11": begun.account.contact_name,
        "receipts_disp12": begun.account.contact_phone,
        "receipts_disp13": begun.account.contact_hours,
    }


def _consent(begun: _Begun) -> ConsentRequest:
    account, payment = begun.account, begun.payment
    common = {
        **_shop(account),
        "access_id": begun.opened.access_id,
        "access_pass": begun.opened.access_pass,
        "order_id": payment.order_id,
        "ret_url": begun.payer.return_url,
        "payment_term_sec": _TERM_SECONDS,
    }
    match payment.kind:
        case MethodKind.AU:
            return ExecTranAu(
                **common,
                commodity=_GOODS,
                service_name=_wide(account.contact_name),
                service_tel=account.contact_phone,
            )
        case MethodKind.DOCOMO:
            return ExecTranDocomo(
                **common,
                disp_shop_name=account.contact_name,
                disp_phone_number=account.contact_phone,
                disp_mail_address=account.contact_mail,
            )
        case MethodKind.RAKUTEN:
            return ExecTranRakutenId(
                **common, error_rcv_url=begun.payer.return_url, item_id=payment.order_id, item_name=_GOODS
            )
        case _:
            return ExecTranSb(**common)


def _requested(begun: _Begun, order_id: str, **told: str) -> Outcome:
    if order_id != begun.payment.order_id:
        return unreadable("order_id")
    references = {name: value for name, value in told.items() if value}
    return Approved(
        trade=Trade(
            references={"access_id": begun.opened.access_id, **references},
            secrets={"access_pass": begun.opened.access_pass},
        )
    )


def _is_sealed(account: Account, parts: tuple[str, ...], check_string: str) -> bool:
    text = "".join((*parts, account.shop_pass.get_secret_value()))
    sealed = hashlib.md5(wire.to_cp932(text), usedforsecurity=False).hexdigest()
    return hmac.compare_digest(sealed, check_string.lower())


def _shop(account: Account) -> dict[str, str]:
    return {"shop_id": account.shop_id, "shop_pass": account.shop_pass.get_secret_value()}


def _wide(text: str) -> str:
    """In full-width characters: stores' terminals refuse narrow symbols (protocol 7)."""
    narrow = unicodedata.normalize("NFKC", text)
    return "".join(
        "　" if character == " " else chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character
        for character in narrow
    )


def _katakana(text: str) -> str:
    """In full-width katakana: hiragana is turned, everything else but spaces is left out."""
    turned = (
        chr(ord(character) + 0x60) if "ぁ" <= character <= "ゖ" else character for character in _wide(text)
    )
    return "".join(character for character in turned if "ァ" <= character <= "ヶ" or character in "ー・　")


def _cut(text: str) -> str:
    return wire.to_cp932(text)[:_NAME_BYTES].decode("cp932", "ignore")
