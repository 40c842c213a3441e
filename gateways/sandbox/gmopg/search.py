"""SearchTrade and SearchTradeMulti: every key, in the recorded order, empty ones too."""

from __future__ import annotations

from gateways.sandbox.gmopg import trades
from gateways.sandbox.gmopg.desk import Desk
from gateways.sandbox.gmopg.fields import Checks
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import Fields, Parameters, Refused

PAY_TYPES = frozenset(str(number) for number in range(29) if number not in (15, 17, 26))

# Keys of the other pay types, empty for a trade of another type.
OTHER_KEYS = (
    "CvsCode",
    "CvsConfNo",
    "CvsReceiptNo",
    "EdyReceiptNo",
    "EdyOrderNo",
    "SuicaOrderNo",
    "SuicaReceiptNo",
    "CustID",
    "BkCode",
    "ConfNo",
    "EncryptReceiptNo",
    "PaymentTerm",
    "WebMoneyManagementNo",
    "WebMoneySettleCode",
    "AuPayInfoNo",
    "AuPayMethod",
    "AuCancelAmount",
    "AuCancelTax",
    "DocomoSettlementCode",
    "DocomoCancelAmount",
    "DocomoCancelTax",
    "SbTrackingId",
    "SbCancelAmount",
    "SbCancelTax",
)

# Keys that later versions added, behind the recorded ones; which come when is [inferred]: with a value only.
LATER_KEYS = ("FinishDate", "PayeasyPaymentURL", "OrderDate", "CompletionDate")


def search_trade(desk: Desk, parameters: Parameters) -> Fields:
    """A card trade by its OrderID."""
    checks = Checks(parameters)
    shop_id, order_id = checks.shop(), checks.order_id()
    checks.stop_on_errors()
    trade = trades.by_order(desk, shop_id, order_id)
    if trade is None:
        raise Refused("E01110002")
    return [("OrderID", trade.order_id), *_fields(trade)]


def search_trade_multi(desk: Desk, parameters: Parameters) -> Fields:
    """A trade of any pay type; answers without OrderID, as recorded."""
    checks = Checks(parameters, "M01")
    shop_id, pay_type = checks.shop(), checks.get("PayType")
    if not pay_type:
        checks.add("051001")
    else:
        if len(pay_type) > 2:
            checks.add("051005")
        if pay_type not in PAY_TYPES:
            checks.add("051011")
    order_id = checks.order_id()
    trade = trades.by_order(desk, shop_id, order_id, pay_type) if order_id and pay_type else None
    if trade is None:
        if order_id and pay_type:
            checks.add("004002")
        raise Refused(*checks.codes)
    checks.stop_on_errors()
    told = trade.told
    return [
        *_fields(trade),
        ("PayType", trade.pay_type),
        *((key, told.get(key, "")) for key in OTHER_KEYS),
        ("Currency", "JPN"),
        *((key, told[key]) for key in LATER_KEYS if key in told),
    ]


def _fields(trade: Trade) -> Fields:
    card = trade.known_card
    return [
        ("Status", trade.status),
        ("ProcessDate", trade.process_date),
        ("JobCd", trade.job),
        ("AccessID", trade.access_id),
        ("AccessPass", trade.access_pass),
        ("ItemCode", trade.item_code),
        ("Amount", "" if trade.amount is None else str(trade.amount)),
        ("Tax", "" if trade.amount is None else str(trade.tax)),
        ("SiteID", trade.site_id),
        ("MemberID", trade.member_id),
        ("CardNo", card.masked if card else ""),
        ("Expire", card.expire if card else ""),
        ("Method", trade.method),
        ("PayTimes", trade.pay_times),
        ("Forward", trade.forward),
        ("TranID", trade.tran_id),
        ("Approve", trade.approve),
        ("ClientField1", trade.client_field_1),
        ("ClientField2", trade.client_field_2),
        ("ClientField3", trade.client_field_3),
    ]
