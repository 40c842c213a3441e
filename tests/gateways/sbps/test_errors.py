"""What each type of error is taken for."""

from __future__ import annotations

import pytest

from gateways.outcomes import Declined, NotSent, ReasonKind, Refused, Unknown
from gateways.sbps import errors

# The type codes that SBPS documents for cards and for all methods.
KNOWN = (
    "00 01 02 03 04 05 06 07 09 10 11 12 13 14 80 81 83 84 85 86 90 92 93 94 95 96 97 98 20 21 22 23 24 25 26 27"
    " 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 49 50 51 52 54 56 57 58 59 60 61 63 64 65 66"
    " 67 68 69 70 71 72 73 74 75 76 77 78 79 K0 K1 K2 K3 K4 K5 T1 T2 W0 W1 W2 W3 W4 W5 W6"
)


def test_every_documented_type_has_a_meaning_and_no_other_has() -> None:
    assert set(errors.TABLE) == set(KNOWN.split())


@pytest.mark.parametrize("meaning", {id(m): m for m in errors.TABLE.values()}.values(), ids=lambda m: m.kind)
def test_every_text_is_a_sentence_that_fits_the_log(meaning: errors.Meaning) -> None:
    assert meaning.text.endswith("。")
    assert len(meaning.text) <= 180


@pytest.mark.parametrize(
    ("code", "outcome", "kind"),
    [
        ("10122999", Declined, ReasonKind.CARD_REFUSED),
        ("10165999", Declined, ReasonKind.CARD_REFUSED),
        ("10127201", Declined, ReasonKind.CARD_DATA_WRONG),
        ("101T2227", Declined, ReasonKind.CARD_DATA_WRONG),
        ("10109999", Refused, ReasonKind.CREDENTIALS),
        ("99900999", Refused, ReasonKind.OUR_REQUEST),
        ("10103005", Refused, ReasonKind.OUR_REQUEST),
        ("10112027", Refused, ReasonKind.NOT_FOUND),
        ("10140999", Refused, ReasonKind.WRONG_STATE),
        ("10142999", Refused, ReasonKind.TOO_LATE),
        ("10156999", Refused, ReasonKind.TOO_LATE),
        ("101W5999", Refused, ReasonKind.TOO_EARLY),
        ("10179999", Refused, ReasonKind.AMOUNT_MISMATCH),
        ("10110999", NotSent, ReasonKind.OUR_REQUEST),
        ("10192999", NotSent, ReasonKind.BUSY),
        ("10141999", Unknown, ReasonKind.ALREADY_DONE),
        ("10196999", Unknown, ReasonKind.ALREADY_DONE),
        ("101W3999", Unknown, ReasonKind.BUSY),
        ("10180999", Unknown, ReasonKind.PROVIDER_TROUBLE),
        ("10185999", Unknown, ReasonKind.PROVIDER_TROUBLE),
        ("101ZZ999", Unknown, ReasonKind.OTHER),
        ("40122999", Unknown, ReasonKind.OTHER),
        ("1012299", Unknown, ReasonKind.OTHER),
        ("", Unknown, ReasonKind.OTHER),
    ],
)
def test_codes_are_judged_by_their_type(code: str, outcome: type, kind: ReasonKind) -> None:
    judged = errors.judge(code)
    assert type(judged) is outcome
    assert judged.reason.kind is kind
    assert judged.reason.code == code


def test_closing_date_and_expiry_say_what_the_manual_says() -> None:
    assert "直接お客様口座にご返金ください" in errors.judge("10156999").reason.text
    assert "再度お客様にご購入頂く必要があります" in errors.judge("10142999").reason.text
