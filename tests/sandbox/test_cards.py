"""Test cards, tokens, cards on file and 3-D Secure."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Shop
from tests.sandbox_server import SHOP, SITE

FRICTIONLESS, CHALLENGE = "4100000000000100", "4100000000005000"


@pytest.mark.parametrize(
    ("card", "expire", "code"),
    [
        ("4999000000000002", "4912", "42G020000"),
        ("4999000000000061", "4912", "42G610000"),
        ("4111111111111111", "2001", "42G830000"),
        ("4111111111111112", "4912", "E41170099"),
        ("9111111111111111", "4912", "E41170002"),
        ("4111111111111111", "4913", "E01180008"),
        ("4111", "4912", "E01170011"),
        ("", "4912", "E01170001"),
    ],
)
def test_a_declined_card_leaves_the_trade_open_for_another(
    shop: Shop, card: str, expire: str, code: str
) -> None:
    trade = shop.entry()
    assert shop.errors("ExecTran", **trade, Method="1", CardNo=card, Expire=expire) == code
    assert shop.search(trade["OrderID"])["Status"] == "UNPROCESSED"
    assert shop.sandbox.ledger() == []
    paid = shop.call("ExecTran", **trade, Method="1", CardNo="4111111111111111", Expire="4912")
    assert paid["ACS"] == "0"


def test_a_decline_has_its_class_beside_it(shop: Shop) -> None:
    answer = shop.call("ExecTran", **shop.entry(), Method="1", CardNo="4999000000000002", Expire="4912")
    assert answer == {"ErrCode": "G02", "ErrInfo": "42G020000"}


def test_a_shop_may_be_kept_from_sending_card_numbers(shop: Shop) -> None:
    shop.sandbox.settings(gmopg_raw_cards=0)
    card = {"CardNo": "4111111111111111", "Expire": "4912"}
    assert shop.errors("ExecTran", **shop.entry(), Method="1", **card) == "E61040001"
    assert shop.call("ExecTran", **shop.entry(), Method="1", Token=shop.sandbox.token())["ACS"] == "0"


def test_a_token_is_good_once_and_for_half_an_hour(shop: Shop) -> None:
    token, late = shop.sandbox.token(), shop.sandbox.token()
    assert shop.call("ExecTran", **shop.entry(), Method="1", Token=token)["ACS"] == "0"
    assert shop.errors("ExecTran", **shop.entry(), Method="1", Token=token) == "EX1000302"
    shop.sandbox.control("POST", "/_clock", json={"advance": timedelta(minutes=31).total_seconds()})
    assert shop.errors("ExecTran", **shop.entry(), Method="1", Token=late) == "EX1000303"
    assert shop.errors("ExecTran", **shop.entry(), Method="1", Token="a b") == "EX1000304"


def token_answer(shop: Shop, **arguments: Any) -> dict[str, Any]:
    answer = requests.post(f"{shop.sandbox.url}/gmopg/token", timeout=5, **arguments)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    value: dict[str, Any] = answer.json()
    return value


def test_a_page_of_another_origin_gets_a_token(shop: Shop) -> None:
    card = {"cardno": "4111111111111111", "expire": "204912", "securitycode": "123", "holdername": "TARO"}
    for arguments in ({"json": card}, {"data": card}):
        answer = token_answer(shop, **arguments)
        assert answer["resultCode"] == "000"
        made = answer["tokenObject"]
        assert list(made) == ["token", "toBeExpiredAt", "maskedCardNo", "isSecurityCodeSet"]
        assert made["maskedCardNo"] == "************1111"
        assert made["isSecurityCodeSet"] is True
        assert re.fullmatch(r"\d{4}(-\d\d){5}", made["toBeExpiredAt"])
    several = token_answer(shop, json={**card, "tokennumber": "3"})["tokenObject"]["token"]
    assert len(set(several)) == 3
    script = requests.get(f"{shop.sandbox.url}/gmopg/ext/js/token.js", timeout=5)
    assert "getToken" in script.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cardno": ""}, "100"),
        ({"cardno": "4111-1111"}, "101"),
        ({"cardno": "411"}, "102"),
        ({"expire": ""}, "110"),
        ({"expire": "ab12"}, "111"),
        ({"expire": "1"}, "112"),
        ({"expire": "4913"}, "113"),
        ({"securitycode": "x"}, "121"),
        ({"securitycode": "12345"}, "122"),
        ({"holdername": "太郎"}, "131"),
        ({"holdername": "x" * 51}, "132"),
        ({"tokennumber": "x"}, "141"),
        ({"tokennumber": "11"}, "142"),
        ({"shopid": "nobody"}, "180"),
    ],
)
def test_card_data_that_cannot_become_a_token(shop: Shop, changes: dict[str, str], code: str) -> None:
    card = {"cardno": "4111111111111111", "expire": "4912"} | changes
    assert token_answer(shop, json=card) == {"resultCode": code}


def test_a_member_pays_with_a_card_on_file(shop: Shop) -> None:
    member = {**SITE, "MemberID": "mem@example.jp_1"}
    assert shop.call("SaveMember", **member, MemberName="山田") == {"MemberID": "mem@example.jp_1"}
    assert shop.errors("SaveMember", **member) == "E01390010"
    assert shop.call("UpdateMember", **member, MemberName="John Smith") == {"MemberID": "mem@example.jp_1"}
    assert shop.post("SearchMember", **member).text == (
        "MemberID=mem@example.jp_1&MemberName=John Smith&DeleteFlag=0"
    )
    saved = shop.post("SaveCard", **member, SeqMode="1", CardNo="4111111111111111", Expire="4912").text
    assert saved == "CardSeq=0&CardNo=*************111&Forward=2a99662"
    trade = shop.entry("CAPTURE")
    file = {**member, "SeqMode": "1", "CardSeq": "0"}
    assert shop.call("ExecTran", **trade, **file, Method="1")["ACS"] == "0"
    found = shop.search(trade["OrderID"])
    assert (found["SiteID"], found["MemberID"]) == (SITE["SiteID"], "mem@example.jp_1")
    assert shop.errors("ExecTran", **shop.entry(), **{**file, "CardSeq": "1"}, Method="1") == "E01240002"
    assert shop.errors("ExecTran", **shop.entry(), **{**file, "CardSeq": ""}, Method="1") == "E01230001"
    assert shop.errors("ExecTran", **shop.entry(), **{**file, "MemberID": "x"}, Method="1") == "E01390002"
    assert shop.errors("ExecTran", **shop.entry(), **{**file, "SitePass": "x"}, Method="1") == "E01210002"
    assert shop.call("DeleteMember", **member) == {"MemberID": "mem@example.jp_1"}
    assert shop.errors("SearchMember", **member) == "E01390002"


def test_cards_on_file_keep_physical_numbers_and_close_logical_gaps(shop: Shop) -> None:
    member = {**SITE, "MemberID": "m"}
    shop.call("SaveMember", **member)
    assert shop.errors("SearchCard", **member, SeqMode="0") == "E01240002"
    for last in ("1111", "1129", "1137"):
        shop.call("SaveCard", **member, Token=shop.sandbox.token(f"411111111111{last}"), DefaultFlag="1")
    assert shop.call("DeleteCard", **member, SeqMode="0", CardSeq="0") == {"CardSeq": "0"}
    assert shop.post("SearchCard", **member, SeqMode="0").text == (
        "CardSeq=0|1&DefaultFlag=0|1&CardName=|&CardNo=*************129|*************137&Expire=4912|4912"
        "&HolderName=|&DeleteFlag=0|0"
    )
    assert shop.call("SearchCard", **member, SeqMode="1")["DeleteFlag"] == "1|0|0"
    changed = shop.call(
        "SaveCard", **member, SeqMode="1", CardSeq="2", CardNo="4111111111111111", Expire="5001"
    )
    assert changed["CardSeq"] == "2"
    assert shop.call("SearchCard", **member, SeqMode="1", CardSeq="2")["Expire"] == "5001"
    assert shop.errors("SaveCard", **member, CardNo="4999000000000002", Expire="4912") == "42G020000"
    for _ in range(8):
        shop.call("SaveCard", **member, CardNo="4111111111111111", Expire="4912")
    assert shop.errors("SaveCard", **member, CardNo="4111111111111111", Expire="4912") == "E01230009"


def test_the_card_of_a_trade_goes_on_file(shop: Shop) -> None:
    member = {**SHOP, **SITE, "MemberID": "m", "SeqMode": "0", "DefaultFlag": "1"}
    shop.call("SaveMember", **SITE, MemberID="m")
    open_trade, trade = shop.entry(), shop.paid()
    assert shop.errors("TradedCard", **member, OrderID=open_trade["OrderID"]) == "E01110010"
    answer = shop.post("TradedCard", **member, OrderID=trade["OrderID"]).text
    assert answer == "CardSeq=0&CardNo=************1111&Forward=2a99662"
    detail = shop.post("SearchCardDetail", **SHOP, OrderID=trade["OrderID"]).text
    assert detail == (
        "CardNo=*************111&Brand=VISA&DomesticFlag=1&IssuerCode=1&DebitPrepaidFlag=0"
        "&DebitPrepaidIssuerName=dummy&ForwardFinal=dummy"
    )
    by_member = {"MemberID": "m", "SeqMode": "0", "CardSeq": "0"}
    assert shop.post("SearchCardDetail", **SHOP, **SITE, **by_member).text == detail
    assert shop.post("SearchCardDetail", **SHOP, CardNo="4111111111111111").text == detail


def start_3ds(shop: Shop, card: str, **more: str) -> tuple[dict[str, str], str]:
    trade = shop.entry("AUTH", TdFlag="2", Tds2Type="2")
    fields = {
        "RetUrl": "http://shop.example/back?order=1",
        "ClientField1": "x",
        "ClientFieldFlag": "1",
    } | more
    line = shop.post("ExecTran", **trade, Method="1", Token=shop.sandbox.token(card), **fields).text
    assert line.startswith(f"ACS=2&RedirectUrl={shop.sandbox.url}/gmopg/tds2/callback?transId=")
    assert "&t=" in line
    assert shop.search(trade["OrderID"])["Status"] == "AUTHENTICATED"
    return trade, line.partition("RedirectUrl=")[2]


def finish_3ds(shop: Shop, trade: dict[str, str]) -> dict[str, str]:
    return shop.call("SecureTran2", AccessID=trade["AccessID"], AccessPass=trade["AccessPass"])


def test_a_frictionless_card_passes_3d_secure_by_itself(shop: Shop) -> None:
    trade, url = start_3ds(shop, FRICTIONLESS)
    assert finish_3ds(shop, trade)["ErrInfo"] == "E11010002"
    page = requests.get(url, timeout=5).text
    assert 'action="http://shop.example/back?order=1"' in page
    answer = finish_3ds(shop, trade)
    assert list(answer)[:2] == ["OrderID", "Forward"]
    assert answer["Approve"].startswith(" ")
    assert answer["ClientField1"] == "x"
    assert shop.search(trade["OrderID"])["Status"] == "AUTH"
    assert len(shop.sandbox.ledger(trade["OrderID"])) == 1
    assert finish_3ds(shop, trade)["ErrInfo"] == "E11010001"


@pytest.mark.parametrize(("choice", "error"), [("passed", None), ("failed", "E21030007")])
def test_a_challenge_asks_the_customer(shop: Shop, choice: str, error: str | None) -> None:
    trade, url = start_3ds(shop, CHALLENGE, CallbackType="3")
    assert "本人認証" in requests.get(url, timeout=5).text
    back = requests.post(url, data={"result": choice}, timeout=5, allow_redirects=False)
    assert back.headers["Location"] == f"http://shop.example/back?order=1&AccessID={trade['AccessID']}"
    assert finish_3ds(shop, trade).get("ErrInfo") == error
    assert shop.search(trade["OrderID"])["Status"] == ("AUTH" if error is None else "UNPROCESSED")


@pytest.mark.parametrize(("kind", "result"), [("1", "E21030201"), ("2", "E21030201"), ("3", None)])
def test_a_card_without_3d_secure_depends_on_tds2type(shop: Shop, kind: str, result: str | None) -> None:
    trade = shop.entry("AUTH", TdFlag="2", Tds2Type=kind)
    token = shop.sandbox.token()
    answer = shop.call("ExecTran", **trade, Method="1", Token=token, RetUrl="http://shop.example/")
    assert answer.get("ErrInfo") == result
