"""The control interface: JSON in UTF-8, for demos, training and tests. Never part of a provider's protocol.

GET  /_health            {"status": "ok", "providers": [...]}
GET  /_clock             {"now": ISO time in Tokyo, "offset": seconds, "frozen": bool}
POST /_clock             {"set": "2026-12-01T23:59:59+09:00"} starts there and keeps ticking, also backwards;
                         {"advance": seconds}; {"freeze": true|false}; {"real": true}. `set` and `freeze` combine.
GET  /_faults            {"faults": [...active, with remaining and hits...], "spent": [...used up...]}
POST /_faults            {"call": "AlterTran" | "gmopg.AlterTran" | "gmopg.*" | "*", "order": order id or null,
                         "kind": ..., "times": 1 (null = until cleared), "before": bool, "ms": 0, "code": ""}
     kinds, executed first unless "before" is true:
       lost_answer       the connection closes without an answer
       http_500 http_503 html empty
                         an error page, a maintenance page with status 200, or nothing in place of the answer
       delay_ms          the answer comes `ms` later; with "before" it is also executed only then
     kinds that need an executed call:
       half              half the answer, without a stated length
       slow_body         half the answer, `ms`, the other half
       wrong_encoding    the answer in UTF-16
       duplicate_answer  the answer twice on one connection
     kinds that execute nothing by default:
       error_code        refused with `code`; {"before": false} executes and still answers the code
       reset_before      the connection is reset
     `ms` may go with every kind: so long the answer waits.
DELETE /_faults[?id=n]   clears one or all
GET  /_ledger            ?order= ?since=ISO ?provider= -> {"lines": [{"id", "provider", "order_id", "action", "job",
                         "amount", "call", "source": "api"|"admin", "at"}, ...]}, oldest first. `action` is the job
                         (AUTH, CAPTURE, SALES, VOID, RETURN, RETURNX, CHECK ...) or CHANGE for an amount change.
GET  /_admin/trades      ?order= ?provider= -> {"trades": [...]} without secrets
POST /_admin             {"provider": "gmopg", "order_id": ..., "action": "SALES"|"VOID"|...|"CHANGE", "amount", "job"}
                         acts as the provider's own admin screen does, by the same rules (409 when refused);
                         {"provider", "order_id", "status", "amount"} overwrites without rules and without a ledger line;
                         {"provider": "gmopg", "order_id", "enter": "REQSUCCESS", "pay_type": "3", "amount"} makes a trade
                         of another kind; where an order has several trades, `pay_type` says which is meant
                         {"provider": "gmopg", "order_id", "customer": "pays"}: the customer pays at the convenience store
                         or at the bank, or agrees on the carrier's or Rakuten's page; "opens" goes to that page and
                         stays there, "fails" refuses. A carrier's or Rakuten's trade takes `action` SALES and CANCEL,
                         Rakuten's also CHANGE, コンビニ and Pay-easy CANCEL. Rakuten's requests (REQSALES ...) are
                         done `gmopg_rakuten_seconds` (a setting) later, terms of コンビニ and Pay-easy end (EXPIRED)
                         when the clock has passed them
GET/POST /_notifications {"provider": "gmopg" | "paygent", "target": URL or null, "retries": 5, "retry_ms": 1000,
                         "delay_ms": 0, "copies": 1, "paused": bool, "newest_first": bool}: GMO-PG's 結果通知 or Paygent's
                         決済情報差分通知, sent to `target` after each change until it answers `0` or `result=0`;
                         {"forge": {field: value, ...}} sends exactly that. Answers with the newest 200 and their fate;
                         GET asks with ?provider=, and gmopg is meant where none is named
GET/POST /_settings      {"latency_ms": n, ...}: latency applies to every call of a provider's interface
POST /_reset             forgets everything
Errors: 400 (or 404, 405, 409) with {"error": text}.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from gateways.sandbox.faults import BadFault
from gateways.sandbox.messages import Answer, Request
from gateways.sandbox.notifier import BadWish, Notifier
from gateways.sandbox.rooms import AdminRefused
from gateways.sandbox.settings import BadSetting
from gateways.sandbox.town import Town

Query = Mapping[str, str]
Body = Mapping[str, Any]
Handler = Callable[[Town, Query, Body], dict[str, Any]]


class Refused(Exception):
    """An error for the caller, with its HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def answer(town: Town, request: Request) -> Answer:
    """Answer one control request."""
    try:
        methods = HANDLERS.get(request.path)
        if methods is None:
            raise Refused(404, "no such control path")
        handler = methods.get(request.method)
        if handler is None:
            raise Refused(405, f"{request.path} understands {', '.join(methods)}")
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        return _json(handler(town, query, _body(request)))
    except Refused as refused:
        return _json({"error": str(refused)}, status=refused.status)
    except (BadFault, BadSetting, BadWish) as error:
        return _json({"error": str(error)}, status=400)
    except AdminRefused as error:
        return _json({"error": str(error)}, status=409)


def _json(value: Mapping[str, Any], *, status: int = 200) -> Answer:
    text = json.dumps(value, ensure_ascii=False) + "\n"
    return Answer(text.encode(), status=status, content_type="application/json; charset=utf-8")


def _body(request: Request) -> Body:
    if not request.body:
        return {}
    try:
        value = json.loads(request.body)
    except ValueError as error:
        raise Refused(400, "the body is not JSON") from error
    if not isinstance(value, dict):
        raise Refused(400, "the body must be a JSON object")
    return value


def _health(town: Town, query: Query, body: Body) -> dict[str, Any]:
    return {"status": "ok", "providers": [room.name for room in town.rooms]}


def _clock(town: Town, query: Query, body: Body) -> dict[str, Any]:
    return town.house.clock.state()


def _move_clock(town: Town, query: Query, body: Body) -> dict[str, Any]:
    clock = town.house.clock
    if not body or not body.keys() <= {"set", "advance", "freeze", "real"}:
        raise Refused(400, "expected set, advance, freeze or real")
    if body.get("freeze"):
        # First, so that what is set together with it is exact.
        clock.freeze(True)
    try:
        if body.get("real"):
            clock.follow_real_time()
        if "set" in body:
            clock.set(datetime.fromisoformat(body["set"]))
        if "advance" in body:
            clock.advance(float(body["advance"]))
    except (TypeError, ValueError, OverflowError) as error:
        raise Refused(400, f"no such time: {error}") from error
    if body.get("freeze") is False:
        clock.freeze(False)
    return clock.state()


def _faults(town: Town, query: Query, body: Body) -> dict[str, Any]:
    return town.faults.state()


def _add_fault(town: Town, query: Query, body: Body) -> dict[str, Any]:
    return {"id": town.faults.add(body).id}


def _clear_faults(town: Town, query: Query, body: Body) -> dict[str, Any]:
    wanted = query.get("id")
    if wanted is not None and not wanted.isdigit():
        raise Refused(400, "id must be a number")
    town.faults.clear(None if wanted is None else int(wanted))
    return town.faults.state()


def _ledger(town: Town, query: Query, body: Body) -> dict[str, Any]:
    lines = town.house.ledger.lines(
        provider=query.get("provider"), order_id=query.get("order"), since=query.get("since")
    )
    return {"lines": lines}


def _trades(town: Town, query: Query, body: Body) -> dict[str, Any]:
    provider = query.get("provider")
    rooms = [room for room in town.rooms if provider in (None, room.name)]
    return {"trades": [trade for room in rooms for trade in room.trades(query.get("order"))]}


def _admin(town: Town, query: Query, body: Body) -> dict[str, Any]:
    room = town.room_named(str(body.get("provider", "gmopg")))
    if room is None:
        raise Refused(404, "no such provider")
    return room.change_behind_the_back(str(body.get("order_id", "")), body)


def _settings(town: Town, query: Query, body: Body) -> dict[str, Any]:
    return dict(town.house.settings.state())


def _change_settings(town: Town, query: Query, body: Body) -> dict[str, Any]:
    town.house.settings.change(body)
    return _settings(town, query, body)


def _notifications(town: Town, query: Query, body: Body) -> dict[str, Any]:
    return _notifier(town, query).state()


def _wish_for_notifications(town: Town, query: Query, body: Body) -> dict[str, Any]:
    notifier = _notifier(town, body)
    notifier.change({name: value for name, value in body.items() if name != "provider"})
    return notifier.state()


def _notifier(town: Town, wish: Mapping[str, Any]) -> Notifier:
    notifier = town.notifiers.get(str(wish.get("provider", "gmopg")))
    if notifier is None:
        raise Refused(404, f"no provider that notifies; there are {', '.join(town.notifiers)}")
    return notifier


def _reset(town: Town, query: Query, body: Body) -> dict[str, Any]:
    town.reset()
    return {"status": "ok"}


HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    "/_health": {"GET": _health},
    "/_clock": {"GET": _clock, "POST": _move_clock},
    "/_faults": {"GET": _faults, "POST": _add_fault, "DELETE": _clear_faults},
    "/_ledger": {"GET": _ledger},
    "/_admin": {"POST": _admin},
    "/_admin/trades": {"GET": _trades},
    "/_settings": {"GET": _settings, "POST": _change_settings},
    "/_notifications": {"GET": _notifications, "POST": _wish_for_notifications},
    "/_reset": {"POST": _reset},
}
