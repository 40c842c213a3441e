"""The bytes of Paygent: a recorded answer, and what broken ones look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways import masking
from gateways.paygent import wire

RECORDED_020 = (
    b"\r\nresult=0\r\npayment_id=28569257\r\ntrading_id=\r\nissur_class=1\r\nacq_id=50001\r\nacq_name=NICOS\r\n"
    b"issur_name=\xcb\xde\xbb\xde\r\nfc_auth_umu=\r\ndaiko_code=\r\ncard_shu_code=\r\nk_card_name=\r\n"
    b"issur_id=\r\nattempt_kbn=\r\nfingerprint=ab12cd34\r\nmasked_card_number=************1881\r\n"
    b"card_valid_term=0122\r\nout_acs_html="
)


def test_the_recorded_answer_to_an_authorization() -> None:
    fields = wire.parse(RECORDED_020)
    assert (fields["result"], fields["payment_id"], fields["trading_id"]) == ("0", "28569257", "")
    assert fields["issur_name"] == "ﾋﾞｻﾞ"
    assert fields["masked_card_number"] == "************1881"
    assert not wire.is_cut_at(RECORDED_020, "payment_id")


def test_the_recorded_answer_is_masked_before_it_is_kept() -> None:
    kept = masking.mask_text(wire.as_text(RECORDED_020))
    assert "fingerprint=***" in kept
    assert "card_valid_term=***" in kept
    assert "payment_id=28569257" in kept


def test_requests_are_masked_before_they_are_kept() -> None:
    fields = {
        "merchant_id": "1",
        "connect_password": "sandboxpass",
        "card_token": "tok_1",
        "3ds_auth_id": "9",
    }
    assert masking.mask_fields(fields) == "merchant_id=1&connect_password=***&card_token=***&3ds_auth_id=***"


def test_a_page_runs_to_the_end_of_the_body() -> None:
    fields = wire.parse(b"result=0\r\nout_acs_html=<form action=x?a=b>\r\nresult=1\r\n</form>")
    assert fields["result"] == "0"
    assert fields["out_acs_html"] == "<form action=x?a=b>\r\nresult=1\r\n</form>"
    assert masking.mask_text("result=0\r\nout_acs_html=<form a=b>secret").endswith("out_acs_html=***")


def test_details_come_without_their_quotes_and_values_may_hold_equal_signs() -> None:
    fields = wire.parse(b'\r\nresult=1\r\nresponse_code=2003\r\nresponse_detail="1G12"\r\nx=a=b')
    assert (fields["response_code"], fields["response_detail"], fields["x"]) == ("2003", "1G12", "a=b")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n\r\n",
        b"<!DOCTYPE html><html></html>",
        b"payment_id=1",
        b"result=2",
        b"result",
        b"result=0\r\nresult=1",
        "result=0\r\npayment_id=1".encode("utf-16"),
        b"result=0\r\n\x81",
    ],
)
def test_what_is_no_answer_is_unreadable(body: bytes) -> None:
    with pytest.raises(wire.Unreadable):
        wire.parse_table(body)


def test_a_number_at_the_end_of_the_body_may_be_cut() -> None:
    assert wire.is_cut_at(b"\r\nresult=0\r\npayment_id=285", "payment_id")
    assert not wire.is_cut_at(b"\r\nresult=0\r\npayment_id=285\r\n", "payment_id")
    assert not wire.is_cut_at(b"\r\nresult=0\r\npayment_id=285\r\ntrading_id=", "payment_id")


def test_a_list_of_cards() -> None:
    body = (
        b'"1","0","",""\r\n"2","customer_id","customer_card_id","card_number"\r\n'
        b'"3","c1","1","************1111"\r\n"3","c1","2","a,""b"""\r\n"4","2"\r\n'
    )
    assert wire.parse_table(body) == [
        {"customer_id": "c1", "customer_card_id": "1", "card_number": "************1111"},
        {"customer_id": "c1", "customer_card_id": "2", "card_number": 'a,"b"'},
    ]


def test_an_error_in_place_of_a_list_in_both_of_its_forms() -> None:
    error = {"result": "1", "response_code": "P010", "response_detail": "x"}
    assert wire.parse_table(b'"1","1","P010","x"\r\n') == error
    assert wire.parse_table(b'\r\nresult=1\r\nresponse_code=P010\r\nresponse_detail="x"') == error


@pytest.mark.parametrize(
    "body",
    [
        b'"1","0","",""\r\n"2","a"\r\n"3","1"\r\n',
        b'"1","0","",""\r\n"2","a"\r\n"3","1"\r\n"4","2"\r\n',
        b'"1","0","",""\r\n"2","a","b"\r\n"3","1"\r\n"4","1"\r\n',
        b'"9","0"\r\n',
    ],
)
def test_a_list_that_is_not_whole_is_unreadable(body: bytes) -> None:
    with pytest.raises(wire.Unreadable):
        wire.parse_table(body)


@given(st.text())
def test_any_text_can_be_sent(text: str) -> None:
    assert wire.encode({"k": text}).startswith(b"k=")


@given(st.binary(max_size=200))
def test_any_body_is_read_or_unreadable(body: bytes) -> None:
    try:
        wire.parse_table(body)
    except wire.Unreadable:
        return
