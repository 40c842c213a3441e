"""The payer's own pages (AuStart, DocomoStart, SbStart, RakutenIdStart): agree or not, then back to the shop.

Of what GMO-PG posts to RetURL only the names are known (protocol 2.11); the shop asks by SearchTradeMulti anyway.
"""

from __future__ import annotations

from functools import partial
from html import escape

from gateways.sandbox.gmopg import life, trades
from gateways.sandbox.gmopg.desk import Desk, stamp
from gateways.sandbox.gmopg.kinds import BY_CONSENT, BY_PAY_TYPE
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.gmopg.wire import read_form
from gateways.sandbox.messages import NOT_FOUND, Answer, Request, page

START_PAGES = frozenset(f"{kind.name}Start" for kind in BY_CONSENT)
ANSWERS = {"agree": "pays", "refuse": "fails"}
OVER = partial(page, "お支払い手続き")

QUESTION_PAGE = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><title>お支払い手続き</title></head><body>
<h1>お支払い手続き（サンドボックス）</h1>
<p>ご注文 {order_id} のお支払い {total:,} 円に同意しますか。</p>
<form method="post"><input type="hidden" name="AccessID" value="{access_id}">
<input type="hidden" name="Token" value="{token}">
<button name="answer" value="agree">同意する</button>
<button name="answer" value="refuse">やめる</button></form>
</body></html>
"""
RETURN_PAGE = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><title>お店に戻ります</title></head><body>
<form method="post" action="{url}">{fields}<button>お店に戻る</button></form>
</body></html>
"""


def start_page(desk: Desk, request: Request) -> Answer:
    """Asks the customer, and posts the outcome to RetURL. The token is good for one trade until StartLimitDate."""
    form = read_form(request.body)
    access_id, token = form.get("AccessID", ""), form.get("Token", "")
    row = desk.house.storage.row(
        "SELECT * FROM gmopg_trades WHERE access_id = ? AND json_extract(details, '$.token') = ?",
        access_id, token,
    )  # fmt: skip
    trade = Trade(*row) if row is not None and token else None
    if trade is None or trade.pay_type not in BY_PAY_TYPE:
        return NOT_FOUND
    if trade.status not in life.WAITING_FOR_THE_CUSTOMER or stamp(desk.now) > trade.kept["until"]:
        return OVER("この手続きはすでに終わっています。")
    wish = ANSWERS.get(form.get("answer", ""))
    if wish is None:
        if trade.status == "REQSUCCESS":
            life.customer(desk, trade, "opens")
        text = QUESTION_PAGE.format(
            order_id=escape(trade.order_id), total=trade.total, access_id=access_id, token=escape(token)
        )
        return Answer(text.encode())
    life.customer(desk, trade, wish)
    return _back_to_shop(trades.by_number(desk, trade.id))


def _back_to_shop(trade: Trade) -> Answer:
    names = {"AuPayInfoNo": "PayInfoNo", "AuPayMethod": "PayMethod"}
    told = {names.get(key, key): value for key, value in trade.told.items()}
    outcome = {
        "ShopID": trade.shop_id,
        "OrderID": trade.order_id,
        "Status": trade.status,
        "TranDate": trade.tran_date,
        **told,
    }
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in outcome.items()
    )
    url = escape(str(trade.kept["return_url"]))
    return Answer(RETURN_PAGE.format(url=url, fields=fields).encode())
