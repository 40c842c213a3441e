"""A payment's life at SBPS: hold, commit, capture, cancel, refund, and every code on the way."""

from __future__ import annotations

from datetime import date

import pytest
import requests

from gateways.sandbox.sbps.rules import last_day
from tests.sandbox.sbps.conftest import AUTHORIZE, CANCEL, CAPTURE, COMMIT, INQUIRE, Merchant


def codes(answer: dict[str, str]) -> tuple[str, bool]:
    """The code, and whether the answer names its call: what is refused behind the front does."""
    return answer["res_err_code"], "id" in answer


def test_a_hold_is_answered_with_its_numbers(merchant: Merchant) -> None:
    merchant.sandbox.set_clock("2026-11-21T10:00:00", freeze=True)
    answer = merchant.authorize()
    assert answer["id"] == AUTHORIZE
    assert len(answer["res_tracking_id"]) == 14
    assert len(answer["res_sps_transaction_id"]) == 32
    assert answer["cardbrand_code"] == "V"
    assert answer["cc_company_code"] == "10035"
    assert answer["res_process_date"] == answer["res_date"] == "20261121100000"
    assert merchant.status(answer["res_tracking_id"]) == ("0", "1")
    assert merchant.actions() == [("AUTH", 1250)]


def test_the_recorded_sequence_of_commit_and_cancel(merchant: Merchant) -> None:
    tracking_id = merchant.paid()
    assert merchant.status(tracking_id) == ("1", "1")
    assert codes(merchant.move(COMMIT, tracking_id)) == ("10160999", True)
    assert merchant.move(CANCEL, tracking_id)["res_result"] == "OK"
    # The commit's own status stays.
    assert merchant.status(tracking_id) == ("1", "3")
    assert codes(merchant.move(COMMIT, tracking_id)) == ("10160999", True)
    assert codes(merchant.move(CANCEL, tracking_id)) == ("10152999", True)
    assert codes(merchant.move(CAPTURE, tracking_id)) == ("10140999", True)
    assert merchant.actions() == [("AUTH", 1250), ("VOID", 1250)]


def test_an_uncommitted_hold_can_be_cancelled(merchant: Merchant) -> None:
    tracking_id = merchant.authorize()["res_tracking_id"]
    assert merchant.move(CANCEL, tracking_id)["res_result"] == "OK"
    assert merchant.status(tracking_id) == ("0", "3")


def test_capture_and_refund_are_dated(merchant: Merchant) -> None:
    merchant.sandbox.set_clock("2026-11-21T17:31:00")
    tracking_id = merchant.paid()
    captured = merchant.move(CAPTURE, tracking_id, on="20261122120000")
    assert captured["res_process_date"] == "20261122000000"
    assert merchant.status(tracking_id) == ("1", "2")
    assert codes(merchant.move(CAPTURE, tracking_id)) == ("10141999", True)
    assert codes(merchant.move(CANCEL, tracking_id, on="20261121235959")) == ("101W5999", True)
    returned = merchant.move(CANCEL, tracking_id, on="20261122000000")
    assert returned["res_process_date"] == "20261122000000"
    assert merchant.status(tracking_id) == ("1", "4")
    assert codes(merchant.move(CANCEL, tracking_id)) == ("10146999", True)
    assert merchant.actions() == [("AUTH", 1250), ("SALES", 1250), ("RETURN", 1250)]
    merchant.sandbox.real_clock()


def test_a_smaller_capture_is_all_that_is_sold_and_given_back(merchant: Merchant) -> None:
    tracking_id = merchant.paid()
    assert codes(merchant.move(CAPTURE, tracking_id, amount="1251")) == ("10179999", True)
    assert merchant.move(CAPTURE, tracking_id, amount="1000")["res_result"] == "OK"
    assert merchant.move(CANCEL, tracking_id)["res_result"] == "OK"
    assert merchant.actions()[1:] == [("SALES", 1000), ("RETURN", 1000)]


def test_the_windows_close_at_the_end_of_the_third_month(merchant: Merchant) -> None:
    merchant.sandbox.set_clock("2026-11-21T10:00:00")
    held, sold = merchant.paid(), merchant.paid()
    assert codes(merchant.move(CAPTURE, held, on="20261120235959")) == ("101W1999", True)
    assert codes(merchant.move(CAPTURE, held, on="20270301000000")) == ("10142999", True)
    merchant.move(CAPTURE, sold)
    merchant.sandbox.set_clock("2027-03-01T00:00:00")
    assert codes(merchant.move(CAPTURE, held)) == ("10142999", True)
    assert codes(merchant.move(CANCEL, sold)) == ("10156999", True)
    assert merchant.move(CANCEL, held)["res_result"] == "OK"
    merchant.sandbox.real_clock()


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-11-21", "2027-02-28"), ("2027-11-30", "2028-02-29"), ("2026-09-01", "2026-12-31")],
)
def test_the_end_of_the_third_month(start: str, end: str) -> None:
    assert last_day(date.fromisoformat(start)) == date.fromisoformat(end)


def test_an_auto_capture_contract_sells_at_the_commit(merchant: Merchant) -> None:
    merchant.sandbox.settings(sbps_auto_capture=1)
    tracking_id = merchant.authorize()["res_tracking_id"]
    assert codes(merchant.move(CANCEL, tracking_id)) == ("10159999", True)
    assert merchant.move(COMMIT, tracking_id)["res_result"] == "OK"
    assert merchant.status(tracking_id) == ("1", "2")
    assert codes(merchant.move(CAPTURE, tracking_id)) == ("10137999", True)
    assert merchant.move(CANCEL, tracking_id)["res_result"] == "OK"
    assert merchant.actions() == [("AUTH", 1250), ("CAPTURE", 1250), ("RETURN", 1250)]


def test_the_card_companies_closing_date_is_a_setting(merchant: Merchant) -> None:
    tracking_id = merchant.paid()
    merchant.move(CAPTURE, tracking_id)
    merchant.sandbox.settings(sbps_refunds_closed=1)
    assert codes(merchant.move(CANCEL, tracking_id)) == ("10156999", True)


@pytest.mark.parametrize(("info_type", "number"), [("1", "*" * 16), ("2", "************1111")])
def test_an_inquiry_hides_the_card(merchant: Merchant, info_type: str, number: str) -> None:
    token, token_key = merchant.token()
    tracking_id = merchant.authorize(token=token, token_key=token_key)["res_tracking_id"]
    answer = merchant.call(
        INQUIRE, [("tracking_id", tracking_id), ("response_info_type", info_type), ("encrypted_flg", "0")]
    )
    assert answer["cc_number"] == number
    assert answer["res_status"] == "0"
    assert not {"amount", "order_id", "res_tracking_id"} & answer.keys()


def test_encryption_covers_the_way_of_payment_both_ways(merchant: Merchant) -> None:
    # 10 in 3DES; the hash is over the plain value, which `authorize` cannot know.
    body = [("encrypted_flg", "1"), ("dealings_type", "mlbVSZmqlpU=")]
    assert merchant.authorize(**dict(body))["res_err_code"] == "10109999"
    answer = merchant.authorize(encrypted_flg="1", dealings_type="")
    assert answer["cc_company_code"] not in ("10035", "")
    assert answer["cardbrand_code"] == "imr/p3oP9B0="
    assert answer["res_tracking_id"].isdigit()


def test_a_token_is_good_once(merchant: Merchant) -> None:
    token, token_key = merchant.token()
    assert codes(merchant.authorize(token=token, token_key="WRONG")) == ("101T1999", True)
    assert merchant.authorize(token=token, token_key=token_key)["res_result"] == "OK"
    assert codes(merchant.authorize(token=token, token_key=token_key)) == ("101T1999", True)


def test_a_token_does_not_live_long(merchant: Merchant) -> None:
    token, token_key = merchant.token()
    merchant.sandbox.control("POST", "/_clock", json={"advance": 3600})
    assert codes(merchant.authorize(token=token, token_key=token_key)) == ("101T2999", True)
    merchant.sandbox.real_clock()


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"ccNumber": "4111111111111112", "ccExpiration": "204912"}, "03001"),
        ({"ccNumber": "4111111111111111", "ccExpiration": "204913"}, "04001"),
        ({"ccNumber": "4111111111111111", "ccExpiration": "204912", "securityCode": "12"}, "05001"),
        ({"ccNumber": "4111111111111111", "ccExpiration": "204912", "merchantId": "12345"}, "02001"),
    ],
)
def test_wrong_card_data_make_no_token(merchant: Merchant, card: dict[str, str], code: str) -> None:
    answer = requests.post(f"{merchant.sandbox.url}/sbps/token", json=card, timeout=10).json()
    assert (answer["result"], answer["errorCode"]) == ("NG", code)


def test_stored_cards_are_kept_replaced_shown_used_and_forgotten(merchant: Merchant) -> None:
    keep, replace, forget, refer = (f"MG02-{number}-101" for number in ("00131", "00132", "00103", "00104"))
    who = ("cust_code", "member-1")

    def stored(call: str, number: str = "") -> dict[str, str]:
        fields = [who, ("sps_cust_info_return_flg", "0")]
        if call == refer:
            fields.append(("response_info_type", "2"))
        if number:
            token, token_key = merchant.token(number)
            fields += [("pay_option_manage/token", token), ("pay_option_manage/token_key", token_key)]
        return merchant.call(call, [*fields, ("encrypted_flg", "0")])

    for call, number in ((replace, "4111111111111111"), (forget, ""), (refer, "")):
        assert codes(stored(call, number)) == ("10195999", True)
    assert codes(merchant.authorize(cust_code="member-1", token="")) == ("10195999", True)
    assert len(stored(keep, "4111111111111111")["res_payinfo_key"]) == 32
    assert codes(stored(keep, "4111111111111111")) == ("10195999", True)
    assert stored(refer)["cc_number"] == "************1111"
    assert stored(replace, "5555555555554444")["res_result"] == "OK"
    assert stored(refer)["cc_number"] == "************4444"
    assert merchant.authorize(cust_code="member-1", token="")["res_result"] == "OK"
    assert stored(forget)["res_result"] == "OK"
    assert codes(stored(refer)) == ("10195999", True)


def test_a_card_can_be_kept_while_it_pays(merchant: Merchant) -> None:
    assert merchant.authorize(cust_code="member-2", cust_manage_flg="1")["res_result"] == "OK"
    assert merchant.authorize(cust_code="member-2", token="")["res_result"] == "OK"


def test_the_providers_own_screen_moves_money_by_the_same_rules(merchant: Merchant) -> None:
    order = merchant.new_order()
    tracking_id = merchant.paid(order=order)
    assert merchant.sandbox.admin(order, provider="sbps", action="SALES")["status"] == "SALES"
    with pytest.raises(requests.HTTPError, match="409"):
        merchant.sandbox.admin(order, provider="sbps", action="VOID")
    assert merchant.sandbox.admin(order, provider="sbps", action="RETURN")["status"] == "RETURN"
    assert [line["source"] for line in merchant.sandbox.ledger(order)] == ["api", "admin", "admin"]
    merchant.sandbox.admin(order, provider="sbps", status="AUTH")
    assert merchant.status(tracking_id) == ("1", "1")
    with pytest.raises(requests.HTTPError, match="409"):
        merchant.sandbox.admin("nobody", provider="sbps", action="SALES")


def test_faults_are_found_by_call_and_order(merchant: Merchant) -> None:
    order = merchant.new_order()
    tracking_id, other = merchant.paid(order=order), merchant.paid()
    merchant.sandbox.post_fault("error_code", call=f"sbps.{CAPTURE}", order=order, code="42")
    assert merchant.move(CAPTURE, other)["res_result"] == "OK"
    assert codes(merchant.move(CAPTURE, tracking_id)) == ("10142999", True)
    assert merchant.move(CAPTURE, tracking_id)["res_result"] == "OK"
