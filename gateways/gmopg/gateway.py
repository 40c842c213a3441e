"""GMO-PG as a gateway: which telegrams make up an action, and what their answers mean."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from gateways.gmopg import errors, requesting, wire
from gateways.gmopg.account import Account
from gateways.gmopg.line import Failure, Line, Refusal, understood, unreadable
from gateways.gmopg.messages import (
    PHYSICAL,
    AlteredAnswer,
    AlterTran,
    ChangeTran,
    EntryTran,
    EntryTranAnswer,
    ExecTran,
    ExecTranAnswer,
    SearchAnswer,
    SearchTrade,
    SearchTradeMulti,
)
from gateways.gmopg.pay_types import PAY_TYPES
from gateways.gmopg.stores import STORES, store_name
from gateways.interface import (
    AuthorizeRequest,
    CancelRequest,
    Capabilities,
    CaptureRequest,
    CardToken,
    ChangeAmountRequest,
    Journal,
    PaymentReference,
    PaymentRequest,
    ReauthorizeRequest,
)
from gateways.outcomes import (
    Approved,
    Declined,
    Found,
    InquiryOutcome,
    NotFound,
    NotSent,
    Outcome,
    Reason,
    ReasonKind,
    Refused,
    Trade,
    Unknown,
)
from gateways.vocabulary import PAID_BY_CONSENT, Action, MethodKind, PaymentStatus

CAPABILITIES = Capabilities(
    actions=frozenset(
        {
            Action.AUTHORIZE,
            Action.REQUEST,
            Action.CAPTURE,
            Action.CANCEL,
            Action.CHANGE_AMOUNT,
            Action.REAUTHORIZE,
            Action.GUIDED_CHANGE,
            Action.INQUIRE,
        }
    ),
    max_amount=9_999_999,
    max_amount_by_kind=requesting.HIGHEST_AMOUNTS,
    stores=STORES,
    # Opening (10 + 30) and executing (10 + 90) a trade, and something for name lookups, which have no limit.
    longest_call_seconds=160,
)

_LUMP_SUM = "1"
_INSTALMENTS = "2"

_REFERENCES = ("forward", "approve", "tran_id", "method", "pay_times", "card_no", "member_id")
_OTHER_KINDS = (
    "cvs_code", "cvs_conf_no", "cvs_receipt_no", "cust_id", "bk_code", "conf_no", "payment_term", "finish_date",
    "payeasy_payment_url", "au_pay_info_no", "docomo_settlement_code", "sb_tracking_id", "order_date",
    "completion_date",
)  # fmt: skip

_AGREED = frozenset({PaymentStatus.AUTH, PaymentStatus.CAPTURE})

_AUTHENTICATION = Declined(
    reason=Reason(
        kind=ReasonKind.CARD_REFUSED,
        code="ACS",
        text="カード会社が本人認証(3Dセキュア)を求めたため、決済は完了していません。請求はされません。"
        "お客様に、別のカードか他の決済方法をご案内ください。",
    )
)
_CARDS_ONLY = Refused(
    reason=Reason(
        kind=ReasonKind.OUR_REQUEST,
        text="この支払方法の操作は、この画面では行えません。GMO-PGの管理画面で行ってください。",
    )
)
_NO_SITE = Refused(
    reason=Reason(
        kind=ReasonKind.CREDENTIALS,
        text="登録済みカードの利用に必要なサイトIDが設定されていません。設定をご確認ください。",
    )
)
_NO_SUCH_TRADE_TEXT = "GMO-PGに、この決済オーダーIDの取引はありません。"

_NOT_LOOKED_UP_TEXT = "実行前にGMO-PGで取引を確認できなかったため、何も実行していません。時間をおいて、もう一度実行してください。"


class GmoPgGateway:
    """One account at GMO-PG. Stateless but for its connections; safe to share between threads."""

    def __init__(self, account: Account) -> None:
        self.capabilities = CAPABILITIES
        self._account = account
        self._line = Line(account)

    def authorize(self, payment: PaymentReference, request: AuthorizeRequest, journal: Journal) -> Outcome:
        """EntryTran, then ExecTran. The access pass is only in the outcome's secrets, never in the journal.

        A lost EntryTran stays unknown, although no money can have moved: the order id is used up there.
        """
        if payment.kind is not MethodKind.CARD:
            return _CARDS_ONLY
        if not isinstance(request.card, CardToken) and self._account.site_id is None:
            return _NO_SITE
        entry = EntryTran(
            **self._shop(), order_id=payment.order_id, job_cd=request.target.value, amount=request.amount
        )
        opened = self._line.ask(entry, EntryTranAnswer, journal)
        if not isinstance(opened, EntryTranAnswer):
            return opened
        journal.remember(access_id=opened.access_id)
        answer = self._line.call(self._execution(payment.order_id, request, opened), journal)
        if isinstance(answer, Refusal):
            return answer.judged()
        if not isinstance(answer, dict):
            return answer
        if answer.get("acs") in {"1", "2"}:
            return _AUTHENTICATION
        if answer.get("acs") != "0":
            return unreadable("acs")
        executed = understood(answer, ExecTranAnswer)
        return (
            self._executed(payment.order_id, opened, executed)
            if isinstance(executed, ExecTranAnswer)
            else executed
        )

    def request_payment(
        self, payment: PaymentReference, request: PaymentRequest, journal: Journal
    ) -> Outcome:
        """EntryTran and ExecTran of the payment's kind: approved means that the customer can now pay."""
        return requesting.request_payment(self._account, self._line, payment, request, journal)

    def capture(self, payment: PaymentReference, request: CaptureRequest, journal: Journal) -> Outcome:
        """AlterTran SALES with the whole authorized amount."""
        return self._alter(payment, journal, job_cd=PaymentStatus.SALES.value, amount=request.amount)

    def cancel(self, payment: PaymentReference, request: CancelRequest, journal: Journal) -> Outcome:
        """AlterTran with the cancel type, without an amount: GMO-PG cancels the whole trade."""
        return self._alter(payment, journal, job_cd=request.cancel_type.value)

    def change_amount(
        self, payment: PaymentReference, request: ChangeAmountRequest, journal: Journal
    ) -> Outcome:
        """ChangeTran to the new total."""

        def telegram(access_id: str, access_pass: str) -> ChangeTran:
            return ChangeTran(
                **self._shop(),
                access_id=access_id,
                access_pass=access_pass,
                job_cd=request.target.value,
                amount=request.amount,
            )

        return self._change(payment, telegram, journal)

    def reauthorize(
        self, payment: PaymentReference, request: ReauthorizeRequest, journal: Journal
    ) -> Outcome:
        """AlterTran AUTH or CAPTURE of a cancelled trade, paid as it was paid before."""
        method = payment.references.get("method") or _LUMP_SUM
        pay_times = payment.references.get("pay_times") or None
        return self._alter(
            payment,
            journal,
            job_cd=request.target.value,
            amount=request.amount,
            method=method,
            pay_times=pay_times,
        )

    def inquire(self, payment: PaymentReference, journal: Journal) -> InquiryOutcome:
        """SearchTrade for cards, SearchTradeMulti for other kinds."""
        question: SearchTrade | SearchTradeMulti
        if payment.kind is MethodKind.CARD:
            question = SearchTrade(**self._shop(), order_id=payment.order_id)
        else:
            question = SearchTradeMulti(
                **self._shop(), order_id=payment.order_id, pay_type=PAY_TYPES[payment.kind]
            )
        answer = self._line.call(question, journal)
        if isinstance(answer, Refusal):
            return _not_told(answer)
        if not isinstance(answer, dict):
            return answer
        found = understood(answer, SearchAnswer)
        if not isinstance(found, SearchAnswer):
            return found
        if found.order_id not in {None, payment.order_id}:
            return unreadable("order_id")
        return Found(trade=_trade_as_found(found, payment.kind))

    def _shop(self) -> dict[str, str]:
        account = self._account
        return {"shop_id": account.shop_id, "shop_pass": account.shop_pass.get_secret_value()}

    def _execution(self, order_id: str, request: AuthorizeRequest, opened: EntryTranAnswer) -> ExecTran:
        card: dict[str, str | None]
        if isinstance(request.card, CardToken):
            card = {"token": request.card.token}
        else:
            account = self._account
            card = {
                "site_id": account.site_id,
                "site_pass": account.site_pass.get_secret_value() if account.site_pass else None,
                "member_id": request.card.member_id,
                "seq_mode": PHYSICAL,
                "card_seq": request.card.card_seq,
            }
        in_parts = request.installments > 1
        return ExecTran(
            access_id=opened.access_id,
            access_pass=opened.access_pass,
            order_id=order_id,
            method=_INSTALMENTS if in_parts else _LUMP_SUM,
            pay_times=str(request.installments) if in_parts else None,
            **card,
        )

    def _executed(self, order_id: str, opened: EntryTranAnswer, answer: ExecTranAnswer) -> Outcome:
        if answer.order_id != order_id:
            return unreadable("order_id")
        if not hmac.compare_digest(self._check_string(answer), answer.check_string.lower()):
            return unreadable("check_string")
        references = {
            "access_id": opened.access_id,
            "forward": answer.forward,
            "approve": answer.approve.strip(),
            "tran_id": answer.tran_id,
            "method": answer.method,
            "pay_times": answer.pay_times,
        }
        return Approved(
            trade=Trade(
                processed_at=answer.tran_date,
                references=references,
                secrets={"access_pass": opened.access_pass},
            )
        )

    def _check_string(self, answer: ExecTranAnswer) -> str:
        """MD5 is GMO-PG's choice; the hash only shows that the answer belongs to this shop and is whole."""
        parts = (
            answer.order_id,
            answer.forward,
            answer.method,
            answer.pay_times,
            answer.approve,
            answer.tran_id,
            f"{answer.tran_date:%Y%m%d%H%M%S}",
            self._account.shop_pass.get_secret_value(),
        )
        return hashlib.md5(wire.to_cp932("".join(parts)), usedforsecurity=False).hexdigest()

    def _alter(
        self,
        payment: PaymentReference,
        journal: Journal,
        *,
        job_cd: str,
        amount: int | None = None,
        method: str | None = None,
        pay_times: str | None = None,
    ) -> Outcome:
        def telegram(access_id: str, access_pass: str) -> AlterTran:
            return AlterTran(
                **self._shop(),
                access_id=access_id,
                access_pass=access_pass,
                job_cd=job_cd,
                amount=amount,
                method=method,
                pay_times=pay_times,
            )

        return self._change(payment, telegram, journal)

    def _change(
        self,
        payment: PaymentReference,
        telegram: Callable[[str, str], AlterTran | ChangeTran],
        journal: Journal,
    ) -> Outcome:
        if payment.kind is not MethodKind.CARD:
            return _CARDS_ONLY
        address = self._address(payment, journal)
        if not isinstance(address, tuple):
            return address
        access_id, access_pass = address
        altered = self._line.ask(telegram(access_id, access_pass), AlteredAnswer, journal)
        if not isinstance(altered, AlteredAnswer):
            return altered
        if altered.access_id.lower() != access_id.lower():
            return unreadable("access_id")
        references = {
            "access_id": access_id,
            "forward": altered.forward,
            "approve": altered.approve.strip(),
            "tran_id": altered.tran_id,
        }
        trade = Trade(
            processed_at=altered.tran_date, references=references, secrets={"access_pass": access_pass}
        )
        return Approved(trade=trade)

    def _address(self, payment: PaymentReference, journal: Journal) -> tuple[str, str] | Failure:
        """AccessID and AccessPass: ours, or asked for where an answer with them was lost."""
        access_id = payment.references.get("access_id")
        access_pass = payment.secrets.get("access_pass")
        if access_id and access_pass:
            return access_id, access_pass
        found = self.inquire(payment, journal)
        if isinstance(found, NotFound):
            return Refused(reason=found.reason)
        if isinstance(found, Found):
            access_id = found.trade.references.get("access_id")
            access_pass = found.trade.secrets.get("access_pass")
            if access_id and access_pass:
                return access_id, access_pass
            found = unreadable("access_pass")
        return NotSent(
            reason=Reason(kind=found.reason.kind, code=found.reason.code, text=_NOT_LOOKED_UP_TEXT)
        )


def _not_told(refusal: Refusal) -> InquiryOutcome:
    judged = refusal.judged()
    if errors.says_no_such_trade(refusal.codes):
        reason = Reason(kind=ReasonKind.NOT_FOUND, code=judged.reason.code, text=_NO_SUCH_TRADE_TEXT)
        return NotFound(reason=reason)
    # Whatever it says about itself, an inquiry that was not answered tells nothing about the trade.
    return judged if isinstance(judged, NotSent) else Unknown(reason=judged.reason)


def _trade_as_found(found: SearchAnswer, kind: MethodKind) -> Trade:
    status = (
        PaymentStatus(found.status) if found.status in PaymentStatus.__members__ else PaymentStatus.EXCEPTION
    )
    references: dict[str, str] = {}
    for name in ("access_id", *_REFERENCES, *_OTHER_KINDS):
        value = getattr(found, name).strip()
        if value:
            references[name] = value
    if found.cvs_code:
        references["store"] = store_name(found.cvs_code)
    # Nothing comes before an agreement on the payer's own pages: the only date that is told is the authorization's.
    agreed_at = found.process_date if kind in PAID_BY_CONSENT and status in _AGREED else None
    return Trade(
        status=status,
        amount=None if found.amount is None else found.amount + (found.tax or 0),
        processed_at=found.process_date,
        authorized_at=agreed_at,
        captured_at=agreed_at if status is PaymentStatus.CAPTURE else None,
        references=references,
        secrets={"access_pass": found.access_pass} if found.access_pass else {},
    )
