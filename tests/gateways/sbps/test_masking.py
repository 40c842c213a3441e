"""What of SBPS's telegrams may be written down."""

from __future__ import annotations

import pytest

from gateways import masking


@pytest.mark.parametrize("name", ["token", "token_key", "sps_hashcode", "cc_expiration", "security_code"])
def test_secret_fields_and_elements_are_hidden(name: str) -> None:
    assert masking.mask_fields({name: "AB12CD34", "amount": "10"}) == f"{name}=***&amount=10"
    assert masking.mask_text(f"<{name}>AB12CD34</{name}><a>1</a>") == f"<{name}>***</{name}><a>1</a>"
    assert masking.mask_text(f"<{name}>AB12C") == f"<{name}>***"


def test_a_card_number_is_hidden_and_its_masked_form_is_not() -> None:
    text = "<cc_number>4111111111111111</cc_number><cc_number>************1111</cc_number>"
    assert masking.mask_text(text) == "<cc_number>***</cc_number><cc_number>************1111</cc_number>"


def test_what_the_request_said_in_secret_is_hidden_wherever_the_answer_repeats_it() -> None:
    secrets = masking.secret_values({"token": "ABCDEF", "token_key": "123456", "order_id": "order-1"})
    assert masking.mask_text("<p>ABCDEF 123456 order-1</p>", secrets) == "<p>*** *** order-1</p>"


@pytest.mark.parametrize("tracking_id", ["00000064000001", "00000000000000", "00000064000019"])
def test_a_tracking_id_is_never_taken_for_a_card_number(tracking_id: str) -> None:
    assert masking.mask_text(f"tracking_id={tracking_id}") == f"tracking_id={tracking_id}"
