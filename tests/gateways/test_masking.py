"""Nothing secret is left of a telegram: transcripts before and after."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways import masking

ACCESS_ID = "883b79a42ff7158f896ba9044d0166fd"
ACCESS_PASS = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            {"ShopID": "tshop00000001", "ShopPass": "shoppass01", "OrderID": "A-1", "Amount": "3200"},
            "ShopID=tshop00000001&ShopPass=***&OrderID=A-1&Amount=3200",
        ),
        (
            {"AccessID": ACCESS_ID, "AccessPass": ACCESS_PASS, "Token": "tok&en=1", "Method": "1"},
            "AccessID=883b79…&AccessPass=***&Token=***&Method=1",
        ),
        (
            {"SitePass": "sitepass01", "CardNo": "4111111111111111", "Expire": "4912", "SecurityCode": "123"},
            "SitePass=***&CardNo=***&Expire=***&SecurityCode=***",
        ),
        ({"CardPass": "x", "PIN": "1234", "MD": "m", "PaRes": "p"}, "CardPass=***&PIN=***&MD=***&PaRes=***"),
        ({"ClientField1": "4111 1111 1111 1111", "ClientField2": ""}, "ClientField1=***&ClientField2="),
    ],
)
def test_requests_before_and_after(before: dict[str, str], after: str) -> None:
    assert masking.mask_fields(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"AccessID={ACCESS_ID}&AccessPass={ACCESS_PASS}", "AccessID=883b79…&AccessPass=***"),
        (
            "Status=AUTH&ProcessDate=20261121180806&CardNo=************1111&Expire=4912&TranID=2611211808111111111111192829",
            "Status=AUTH&ProcessDate=20261121180806&CardNo=************1111&Expire=***&TranID=2611211808111111111111192829",
        ),
        ("CardSeq=0|1&CardNo=*************111|4111111111111111", "CardSeq=0|1&CardNo=*************111|***"),
        ("ACS=1&ACSUrl=https://acs.example/?a=1&PaReq=e&J=x&MD=m", "ACS=1&ACSUrl=***"),
        ("ACS=2&RedirectUrl=https://tds.example/?transId=1&t=2", "ACS=2&RedirectUrl=***"),
        (
            "ACS=0&OrderID=A-1&CheckString=f36cfdcd6cdd12fadbfb043836b29f19",
            "ACS=0&OrderID=A-1&CheckString=***",
        ),
        (f"AccessID={ACCESS_ID}&AccessPass=0123", "AccessID=883b79…&AccessPass=***"),
        ("<p>ShopPass=shoppass01 card 4111-1111-1111-1111</p>", "<p>ShopPass=***</p>"),
        ("ErrCode=E01&ErrInfo=E01050002", "ErrCode=E01&ErrInfo=E01050002"),
    ],
)
def test_answers_before_and_after(before: str, after: str) -> None:
    assert masking.mask_text(before) == after


def test_an_answer_that_repeats_a_secret_elsewhere_shows_it_neither() -> None:
    secrets = masking.secret_values(
        {"ShopPass": "shoppass01", "Token": "tok123", "PIN": "1", "OrderID": "A-1"}
    )
    assert masking.mask_text("invalid request: shoppass01, tok123 for A-1", secrets) == (
        "invalid request: ***, *** for A-1"
    )


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111111111111111", "***"),
        ("378282246310005", "***"),
        ("30569309025904", "***"),
        ("4111-1111-1111-1111", "***"),
        ("4111111111111112", "4111111111111112"),
        ("20261121180806", "20261121180806"),
        ("2611211808111111111111192829", "2611211808111111111111192829"),
        ("03-1234-5678", "03-1234-5678"),
    ],
)
def test_card_numbers_are_found_by_their_check_digit(text: str, masked: str) -> None:
    assert masking.mask_card_numbers(text) == masked


@given(st.text(alphabet="0123456789", min_size=12, max_size=18), st.sampled_from(["", "x", "&a=", " "]))
def test_no_number_with_a_right_check_digit_is_left(digits: str, around: str) -> None:
    digits = "4" + digits[:-1]
    total = sum(int(d) if i % 2 else sum(divmod(2 * int(d), 10)) for i, d in enumerate(reversed(digits)))
    card = digits + str(-total % 10)
    assert card not in masking.mask_text(f"{around}{card}{around}")
