"""Answers as recorded from the real test server, byte for byte where nothing in them is random."""

from __future__ import annotations

import hashlib
import re

import pytest
import requests

from tests.sandbox.conftest import Shop
from tests.sandbox_server import SHOP, SITE

NULL = "null"
EXECUTION_FIELDS = (
    *("AccessID", "AccessPass", "OrderID", "Method", "PayTimes", "CardNo", "Expire", "HttpAccept"),
    *("HttpUserAgent", "ClientField1", "ClientField2", "ClientField3"),
)


@pytest.mark.parametrize(
    ("name", "parameters", "line"),
    [
        (
            "EntryTran",
            {**SHOP, "OrderID": "vector-1", "JobCd": NULL, "Amount": NULL},
            "ErrCode=E01|E01&ErrInfo=E01050002|E01060006",
        ),
        (
            "ExecTran",
            dict.fromkeys(EXECUTION_FIELDS, NULL)
            | {"DeviceCategory": "0", "ClientFieldFlag": "0", "ShopID": "1", "ShopPass": "1"},
            "ErrCode=E01|E01|E01|E01|E01|E01"
            "&ErrInfo=E01090008|E01100008|E01110002|E01170011|E01170006|E01180006",
        ),
        (
            "AlterTran",
            {**SHOP, "AccessID": NULL, "AccessPass": NULL, "JobCd": "SALES", "Amount": NULL},
            "ErrCode=E01|E01|E01&ErrInfo=E01090008|E01100008|E01110002",
        ),
        (
            "SearchTradeMulti",
            {**SHOP, "OrderID": NULL, "PayType": NULL},
            "ErrCode=M01|M01|M01&ErrInfo=M01051005|M01051011|M01004002",
        ),
        (
            "TradedCard",
            {**SHOP, **SITE, "OrderID": NULL, "MemberID": NULL, "SeqMode": "0", "DefaultFlag": "0"},
            "ErrCode=E01&ErrInfo=E01110002",
        ),
        ("SearchTrade", {**SHOP, "OrderID": "nobody"}, "ErrCode=E01&ErrInfo=E01110002"),
        ("SearchTradeMulti", {**SHOP, "OrderID": "nobody", "PayType": "0"}, "ErrCode=M01&ErrInfo=M01004002"),
        ("SearchTrade", {"ShopID": "tshop00000001", "ShopPass": "wrong"}, "ErrCode=E01&ErrInfo=E01030002"),
        ("EntryTranNothing", {"a": "b"}, "ErrCode=E91&ErrInfo=E91099997"),
    ],
)
def test_errors_are_told_together_and_in_order(
    shop: Shop, name: str, parameters: dict[str, str], line: str
) -> None:
    answer = shop.post(name, **parameters)
    assert (answer.status_code, answer.text) == (200, line)
    assert answer.headers["Content-Type"] == "text/plain;charset=Windows-31J"


def test_an_unknown_token_is_told_alone(shop: Shop) -> None:
    trade = shop.entry()
    answer = shop.post("ExecTran", **trade, Method="1", PayTimes="1", Token="onetimetokenfromgmo")
    assert answer.text == "ErrCode=EX1&ErrInfo=EX1000301"


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"OrderID": ""}, "E01040001"),
        ({"OrderID": "x" * 28}, "E01040003"),
        ({"OrderID": "a_b"}, "E01040013"),
        ({"JobCd": ""}, "E01050001"),
        ({"JobCd": "VOID"}, "E01050004"),
        ({"JobCd": "FORCERETURN"}, "E01030061"),
        ({"Amount": ""}, "E01060001"),
        ({"Amount": "12345678"}, "E01060005"),
        ({"Amount": "1,000"}, "E01060006"),
        ({"Amount": "0"}, "E01060011"),
        ({"Amount": "9999999", "Tax": "1"}, "E01490005"),
        ({"Tax": "x"}, "E01070006"),
        ({"TdFlag": "9"}, "E01080007"),
        ({"ItemCode": "12345678"}, "E01450008"),
        ({"ShopID": ""}, "E01010001"),
        ({"ShopID": "x" * 14}, "E01010008"),
        ({"ShopPass": ""}, "E01020001"),
    ],
)
def test_entry_checks_every_parameter(shop: Shop, changes: dict[str, str], codes: str) -> None:
    good = {**SHOP, "OrderID": shop.new_order(), "JobCd": "AUTH", "Amount": "100"}
    assert shop.errors("EntryTran", **{**good, **changes}) == codes


def test_an_order_id_is_taken_for_ever(shop: Shop) -> None:
    trade = shop.entry()
    again = shop.errors("EntryTran", **SHOP, OrderID=trade["OrderID"], JobCd="AUTH", Amount="1")
    assert again == "E01040010"


def test_a_payment_answers_in_the_recorded_order_and_is_sealed(shop: Shop) -> None:
    trade = shop.entry("CAPTURE", "1080")
    answer = shop.call(
        "ExecTran", **SHOP, **trade, Method="1", PayTimes="1", CardNo="4111111111111111", Expire="4912",
        HttpAccept="null", HttpUserAgent="null", DeviceCategory="0", User="MODP", Version="178",
    )  # fmt: skip
    assert list(answer) == [
        "ACS", "OrderID", "Forward", "Method", "PayTimes", "Approve", "TranID", "TranDate", "CheckString",
    ]  # fmt: skip
    sealed = [answer[name] for name in list(answer)[1:-1]]
    seal = hashlib.md5(("".join(sealed) + SHOP["ShopPass"]).encode()).hexdigest()
    assert answer["CheckString"] == seal
    assert (answer["ACS"], answer["PayTimes"]) == ("0", "")
    assert re.fullmatch(r"\d{10}1{12}\d{6}", answer["TranID"])
    assert re.fullmatch(r"\d{14}", answer["TranDate"])
    assert (
        shop.errors("ExecTran", **trade, Method="1", CardNo="4111111111111111", Expire="4912") == "E11010001"
    )


def test_a_validity_check_has_no_method_and_no_amount(shop: Shop) -> None:
    trade = shop.entry("CHECK")
    answer = shop.call("ExecTran", **trade, CardNo="4111111111111111", Expire="4912", SecurityCode="123")
    assert (answer["Method"], answer["PayTimes"]) == ("", "")
    assert len(answer["Approve"]) == 7


def test_instalments_keep_their_number(shop: Shop) -> None:
    trade = shop.entry()
    assert (
        shop.errors("ExecTran", **trade, Method="2", CardNo="4111111111111111", Expire="4912") == "E01270001"
    )
    answer = shop.call(
        "ExecTran", **trade, Method="2", PayTimes="3", CardNo="4111111111111111", Expire="4912"
    )
    assert (answer["Method"], answer["PayTimes"]) == ("2", "3")


def test_cp932_goes_in_and_comes_back_raw(shop: Shop) -> None:
    text = "～－￠￡￢－∥①ｶﾅ髙"
    trade = shop.entry()
    fields = {**trade, "Method": "1", "CardNo": "4111111111111111", "Expire": "4912", "ClientFieldFlag": "1"}
    body = requests.models.RequestEncodingMixin._encode_params(fields).encode()  # type: ignore[attr-defined]
    body += b"&ClientField1=" + b"".join(b"%%%02X" % byte for byte in text.encode("cp932"))
    answer = requests.post(
        f"{shop.sandbox.url}/gmopg/payment/ExecTran.idPass",
        data=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=5,
    )
    assert answer.content.decode("cp932").endswith(f"&ClientField1={text}&ClientField2=&ClientField3=")
    assert shop.search(trade["OrderID"])["ClientField1"] == text


def test_a_search_shows_every_key_of_an_unexecuted_trade(shop: Shop) -> None:
    shop.sandbox.set_clock("2013-03-01T11:59:32", freeze=True)
    trade = shop.entry("AUTH", "100", OrderID="1362106772")
    assert shop.post("SearchTrade", **SHOP, OrderID="1362106772").text == (
        "OrderID=1362106772&Status=UNPROCESSED&ProcessDate=20130301115932&JobCd=AUTH"
        f"&AccessID={trade['AccessID']}&AccessPass={trade['AccessPass']}&ItemCode=0000990&Amount=100&Tax=0&SiteID="
        "&MemberID=&CardNo=&Expire=&Method=&PayTimes=&Forward=&TranID=&Approve=&ClientField1=&ClientField2="
        "&ClientField3="
    )
    multi = shop.post("SearchTradeMulti", **SHOP, OrderID="1362106772", PayType="0").text
    assert multi.startswith("Status=UNPROCESSED&ProcessDate=20130301115932&JobCd=AUTH&AccessID=")
    assert multi.endswith(
        "&PayType=0&CvsCode=&CvsConfNo=&CvsReceiptNo=&EdyReceiptNo=&EdyOrderNo=&SuicaOrderNo=&SuicaReceiptNo="
        "&CustID=&BkCode=&ConfNo=&EncryptReceiptNo=&PaymentTerm=&WebMoneyManagementNo=&WebMoneySettleCode="
        "&AuPayInfoNo=&AuPayMethod=&AuCancelAmount=&AuCancelTax=&DocomoSettlementCode=&DocomoCancelAmount="
        "&DocomoCancelTax=&SbTrackingId=&SbCancelAmount=&SbCancelTax=&Currency=JPN"
    )


@pytest.mark.parametrize(
    ("method", "headers", "status", "code"),
    [
        ("GET", {}, 405, "E00000001"),
        ("POST", {"Accept": "application/json"}, 406, "E00000002"),
        ("POST", {"Content-Type": "application/json"}, 415, "E00000003"),
    ],
)
def test_the_wrong_kind_of_request_is_told(
    shop: Shop, method: str, headers: dict[str, str], status: int, code: str
) -> None:
    url = f"{shop.sandbox.url}/gmopg/payment/SearchTrade.idPass"
    answer = requests.request(method, url, data={"OrderID": "1"}, headers=headers, timeout=5)
    assert (answer.status_code, answer.text) == (status, f"ErrCode=E00&ErrInfo={code}")


def test_a_wrong_path_is_a_page(shop: Shop) -> None:
    answer = requests.post(f"{shop.sandbox.url}/gmopg/payment/SearchTrade", data={"a": "b"}, timeout=5)
    assert answer.status_code == 404
    assert "<html" in answer.text
