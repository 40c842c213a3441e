"""What SBPS's front refuses, in which order, and how its refusals look."""

from __future__ import annotations

import pytest

from tests.sandbox.sbps.conftest import AUTHORIZE, COMMIT, INQUIRE, MERCHANT, Merchant


def test_wrong_authentication_is_turned_away(merchant: Merchant) -> None:
    assert merchant.post(b"", password="x").status_code == 401
    assert merchant.post(b"", user="x").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<sps-api-request id='ST02-00101-101'>",
        b"<sps-api-request/><sps-api-request/>",
        b"<other/>",
        b"<!DOCTYPE x [<!ENTITY e 'x'>]><sps-api-request id='ST02-00101-101'><a>&e;</a></sps-api-request>",
    ],
)
def test_what_is_not_one_request_is_refused_without_a_name(merchant: Merchant, body: bytes) -> None:
    answer = merchant.read(merchant.post(body))
    assert (answer["res_result"], answer["res_err_code"]) == ("NG", "99900999")
    assert "id" not in answer


def test_the_first_rule_broken_is_the_one_that_is_told(merchant: Merchant) -> None:
    now = merchant.now()
    good = [
        ("merchant_id", MERCHANT[0]), ("service_id", MERCHANT[1]), ("cust_code", "c"), ("order_id", "o"),
        ("item_id", "i"), ("amount", "100"), ("pay_method_info/dealings_type", "10"),
        ("pay_option_manage/token", "TOKEN"), ("encrypted_flg", "0"), ("request_date", now),
    ]  # fmt: skip
    # Each line breaks one rule more than the next one.
    broken = [
        ("ST01-99999-101", {}, "99902000"),
        (AUTHORIZE, {"merchant_id": "12345"}, "10114001"),
        (AUTHORIZE, {"item_id": ""}, "10103005"),
        (AUTHORIZE, {"amount": "1O0"}, "10104008"),
        (AUTHORIZE, {"pay_method_info/dealings_type": "1010"}, "10105202"),
        (AUTHORIZE, {"request_date": "20261332000000"}, "10106023"),
        (AUTHORIZE, {"encrypted_flg": "7"}, "10107028"),
        (AUTHORIZE, {"sps_hashcode": "0" * 40}, "10109999"),
        (AUTHORIZE, {"request_date": "20200101000000"}, "10110999"),
    ]
    for first in range(len(broken)):
        call, _, code = broken[first]
        changes = {path: value for _, change, _ in reversed(broken[first:]) for path, value in change.items()}
        hashed = changes.pop("sps_hashcode", None)
        fields = [(path, changes.get(path, value)) for path, value in good]
        answer = merchant.read(merchant.post(merchant.body(call, fields, hashed=hashed)))
        assert (answer["res_err_code"], "id" in answer) == (code, False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"order_id": "注文"}, "10104004"),
        ({"amount": "12345678"}, "10105008"),
        ({"amount": "0"}, "10107008"),
        ({"order_id": "x" * 39}, "10105004"),
        ({"item_name": "長" * 21}, "10105006"),
        ({"dealings_type": "99"}, "10107202"),
    ],
)
def test_values_are_checked(merchant: Merchant, change: dict[str, str], code: str) -> None:
    assert merchant.authorize(**change)["res_err_code"] == code


def test_a_request_is_good_for_its_seconds(merchant: Merchant) -> None:
    date = merchant.now()
    merchant.sandbox.control("POST", "/_clock", json={"advance": 100})
    fields = [("tracking_id", "00000000000001")]
    assert merchant.call(INQUIRE, fields, date=date, limit="90")["res_err_code"] == "10110999"
    assert merchant.call(INQUIRE, fields, date=date, limit="200")["res_err_code"] == "10112999"
    merchant.sandbox.real_clock()


def test_a_payment_that_is_not_there(merchant: Merchant) -> None:
    assert merchant.move(COMMIT, "00000000000001")["res_err_code"] == "10112999"
    assert merchant.call(COMMIT, [("sps_transaction_id", "B" * 32)])["res_err_code"] == "10111999"
    assert merchant.call(COMMIT, [("processing_datetime", merchant.now())])["res_err_code"] == "10103027"


def test_an_order_number_is_used_once(merchant: Merchant) -> None:
    order = merchant.new_order()
    assert merchant.authorize(order)["res_result"] == "OK"
    again = merchant.authorize(order)
    assert again["res_err_code"] == "10196999"
    assert "id" not in again
    assert "res_tracking_id" not in again
    assert merchant.authorize(order, order_rowno="2")["res_result"] == "OK"
    assert len(merchant.actions()) == 2


@pytest.mark.parametrize(("uses_order_id", "second"), [(0, "OK"), (1, "NG")])
def test_a_refused_order_number_may_be_used_again_if_the_setting_says_so(
    merchant: Merchant, uses_order_id: int, second: str
) -> None:
    merchant.sandbox.settings(sbps_refused_uses_order_id=uses_order_id)
    order = merchant.new_order()
    token, token_key = merchant.token("4999000000000022")
    refused = merchant.authorize(order, token=token, token_key=token_key)
    assert (refused["res_err_code"], refused["id"]) == ("10122999", AUTHORIZE)
    assert merchant.authorize(order)["res_result"] == second
    assert len(merchant.actions()) == (second == "OK")


def test_an_order_may_not_be_tried_for_ever(merchant: Merchant) -> None:
    order = merchant.new_order()
    for _ in range(5):
        token, token_key = merchant.token("4999000000000022")
        assert merchant.authorize(order, token=token, token_key=token_key)["res_err_code"] == "10122999"
    assert merchant.authorize(order)["res_err_code"] == "10193999"
