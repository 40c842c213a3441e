"""EntryTran and its sisters for the other kinds: open a trade that is executed later."""

from __future__ import annotations

from gateways.sandbox.gmopg import trades
from gateways.sandbox.gmopg.desk import Desk
from gateways.sandbox.gmopg.fields import Checks
from gateways.sandbox.gmopg.kinds import RAKUTEN, Kind
from gateways.sandbox.gmopg.multi_fields import MultiChecks
from gateways.sandbox.gmopg.rules import ENTRY_JOBS
from gateways.sandbox.gmopg.wire import Fields, Parameters

DEFAULT_ITEM_CODE = "0000990"


def entry_tran(desk: Desk, parameters: Parameters) -> Fields:
    """Every OrderID can be entered once per shop and pay type, also when the first was never executed."""
    checks = Checks(parameters)
    shop_id = checks.shop()
    order_id = checks.new_order_id()
    if order_id and trades.by_order(desk, shop_id, order_id) is not None:
        checks.add("040010")
    if checks.get("JobCd") == "FORCERETURN":
        checks.add("030061")
        checks.stop_on_errors()
    job = checks.job(ENTRY_JOBS)
    amount, tax = None, 0
    if job != "CHECK":
        amount = checks.amount()
        tax = checks.tax(amount)
    if len(checks.get("ItemCode")) > 7:
        checks.add("450008")
    if checks.get("TdFlag") not in ("", "0", "1", "2"):
        checks.add("080007")
    checks.limited("TdTenantName", 25, "370012")
    checks.stop_on_errors()
    trade = trades.enter(
        desk,
        shop_id=shop_id,
        order_id=order_id,
        job=job,
        amount=amount,
        tax=tax,
        item_code=checks.get("ItemCode") or DEFAULT_ITEM_CODE,
        td_flag=checks.get("TdFlag") or "0",
        tds2_type=checks.get("Tds2Type") or "1",
    )
    return [("AccessID", trade.access_id), ("AccessPass", trade.access_pass)]


def entry_tran_of(kind: Kind, desk: Desk, parameters: Parameters) -> Fields:
    """EntryTran<kind>: an OrderID once per shop and kind of payment, for ever."""
    checks = MultiChecks(parameters)
    shop_id = checks.shop()
    order_id = checks.new_order_id()
    if order_id and trades.by_order(desk, shop_id, order_id, kind.pay_type) is not None:
        checks.add("004010")
    job = checks.job(kind.jobs) if kind.jobs else ""
    amount, tax = checks.total(digits=kind.digits, highest=kind.highest)
    checks.stop_on_errors()
    trade = trades.enter(
        desk, shop_id=shop_id, order_id=order_id, job=job, pay_type=kind.pay_type, amount=amount, tax=tax,
        item_code="", td_flag="0", tds2_type="",
    )  # fmt: skip
    pair = [("AccessID", trade.access_id), ("AccessPass", trade.access_pass)]
    # Seen at 楽天ペイ (and LINE Pay) only.
    return [("OrderID", order_id), *pair] if kind is RAKUTEN else pair
