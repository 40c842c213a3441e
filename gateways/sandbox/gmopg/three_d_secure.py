"""The pages that the customer's browser sees during 3-D Secure 2."""

from __future__ import annotations

import json
from html import escape
from urllib.parse import parse_qs, urlencode

from gateways.sandbox.gmopg import trades
from gateways.sandbox.gmopg.desk import Desk
from gateways.sandbox.gmopg.trades import Trade
from gateways.sandbox.messages import NOT_FOUND, Answer, Request, page

GET_ONCE = "3"

CHALLENGE_PAGE = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><title>本人認証サービス</title></head><body>
<h1>本人認証サービス（サンドボックス）</h1>
<p>ご注文 {order_id} のお支払い {total:,} 円を認証しますか。</p>
<form method="post"><button name="result" value="passed">認証する</button>
<button name="result" value="failed">キャンセル</button></form>
</body></html>
"""
RETURN_PAGE = """<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><title>お店に戻ります</title></head><body>
<form method="post" action="{url}"><input type="hidden" name="AccessID" value="{access_id}">
<button>お店に戻る</button></form><script>document.forms[0].submit()</script>
</body></html>
"""


def callback(desk: Desk, request: Request) -> Answer:
    """Frictionless cards pass at once, the others ask the customer; then the browser goes back to the shop."""
    transaction = parse_qs(request.query).get("transId", [""])[-1]
    trade = trades.by_transaction(desk, transaction) if transaction else None
    if trade is None:
        return NOT_FOUND
    if trade.status != "AUTHENTICATED":
        return page("本人認証サービス", "この認証はすでに終わっています。")
    pending = trade.kept
    chosen = parse_qs(request.body.decode("ascii", "replace")).get("result", [""])[-1]
    if pending["result"] == "pending":
        if not pending["challenge"]:
            pending["result"] = "passed"
        elif chosen in ("passed", "failed"):
            pending["result"] = chosen
        else:
            text = CHALLENGE_PAGE.format(order_id=escape(trade.order_id), total=trade.total)
            return Answer(text.encode())
        with desk.house.storage.transaction():
            trades.update(desk, trade, details=json.dumps(pending))
    return _back_to_shop(trade)


def _back_to_shop(trade: Trade) -> Answer:
    pending = trade.kept
    url = str(pending["return_url"])
    if pending["callback"] == GET_ONCE:
        joined = f"{url}{'&' if '?' in url else '?'}{urlencode({'AccessID': trade.access_id})}"
        return Answer(b"", status=302, headers=(("Location", joined),))
    return Answer(RETURN_PAGE.format(url=escape(url), access_id=trade.access_id).encode())
