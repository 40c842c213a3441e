"""What each class of GMO-PG's codes stands for."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.gmopg import errors, wire
from gateways.outcomes import Declined, NotSent, ReasonKind, Refused, Unknown


@pytest.mark.parametrize(
    ("code", "outcome", "kind"),
    [
        ("42G020000", Declined, ReasonKind.CARD_REFUSED),
        ("42G120000", Declined, ReasonKind.CARD_REFUSED),
        ("42G440000", Declined, ReasonKind.CARD_DATA_WRONG),
        ("42G830000", Declined, ReasonKind.CARD_DATA_WRONG),
        ("EX1000303", Declined, ReasonKind.CARD_DATA_WRONG),
        ("E21020002", Declined, ReasonKind.CARD_REFUSED),
        ("E01030002", Refused, ReasonKind.CREDENTIALS),
        ("E01060006", Refused, ReasonKind.OUR_REQUEST),
        ("E61040001", Refused, ReasonKind.OUR_REQUEST),
        ("E01110002", Refused, ReasonKind.NOT_FOUND),
        ("E01060010", Refused, ReasonKind.AMOUNT_MISMATCH),
        ("E11010003", Refused, ReasonKind.WRONG_STATE),
        ("E01410010", Refused, ReasonKind.WRONG_STATE),
        ("E01420010", Refused, ReasonKind.TOO_LATE),
        ("E11010010", Refused, ReasonKind.TOO_LATE),
        ("M01058011", Refused, ReasonKind.TOO_EARLY),
        ("E01040010", Unknown, ReasonKind.ALREADY_DONE),
        ("E11010001", Unknown, ReasonKind.ALREADY_DONE),
        ("E90010001", Unknown, ReasonKind.ALREADY_DONE),
        ("E92000001", NotSent, ReasonKind.BUSY),
        ("42C500000", Unknown, ReasonKind.PROVIDER_TROUBLE),
        ("E91099999", Unknown, ReasonKind.PROVIDER_TROUBLE),
        ("42G999999", Unknown, ReasonKind.OTHER),
        ("", Unknown, ReasonKind.OTHER),
    ],
)
def test_a_code_has_one_meaning(code: str, outcome: type, kind: ReasonKind) -> None:
    judged = errors.judge([code])
    assert type(judged) is outcome
    assert judged.reason.kind is kind
    assert judged.reason.code == code


def test_every_code_has_a_whole_sentence_for_the_operator() -> None:
    for meaning in {*errors.TABLE.values(), errors.UNHEARD_OF}:
        assert meaning.text.endswith("。"), meaning.text


def test_line_trouble_and_unheard_of_codes_are_never_certain() -> None:
    for code, meaning in errors.TABLE.items():
        if code.startswith(("42C", "E91")) and code != "E91099997":
            assert meaning.verdict is errors.Verdict.UNKNOWN, code


@given(st.text(alphabet="0123456789ABCDEFGMX", min_size=9, max_size=9))
def test_a_code_that_is_in_no_table_is_an_unknown_outcome(code: str) -> None:
    if code not in errors.TABLE:
        assert isinstance(errors.judge([code]), Unknown)


@pytest.mark.parametrize(
    ("body", "codes", "outcome"),
    [
        (b"ErrCode=E01|E01&ErrInfo=E01050002|E01060006", ("E01050002", "E01060006"), Refused),
        (
            b"ErrCode=E01|E01|E01&ErrInfo=E01090008|E01100008|E01110002",
            ("E01090008", "E01100008", "E01110002"),
            Refused,
        ),
        (
            b"ErrCode=E01|E01|E01|E01|E01|E01"
            b"&ErrInfo=E01090008|E01100008|E01110002|E01170011|E01170006|E01180006",
            ("E01090008", "E01100008", "E01110002", "E01170011", "E01170006", "E01180006"),
            Refused,
        ),
        (b"ErrCode=EX1&ErrInfo=EX1000301", ("EX1000301",), Declined),
        (b"ErrCode=E92|E91&ErrInfo=E92000001|E91099999", ("E92000001", "E91099999"), Unknown),
        (b"ErrCode=E01|E01&ErrInfo=E01050002", ("E01050002", "incomplete"), Unknown),
        (b"ErrCode=E01&ErrInfo=E0105000", ("E0105000",), Unknown),
        (b"ErrInfo=E01050002", ("E01050002",), Refused),
        (b"ErrCode=E01", ("",), Unknown),
    ],
)
def test_recorded_pairs_are_judged_by_the_most_cautious(
    body: bytes, codes: tuple[str, ...], outcome: type
) -> None:
    found = errors.error_codes(wire.parse(body))
    assert found == codes
    assert type(errors.judge(found)) is outcome


def test_of_two_classes_the_more_cautious_wins_in_either_order() -> None:
    examples = {"E92000001": 0, "42G120000": 1, "E11010003": 2, "E91099999": 3}
    for first, second in product(examples, repeat=2):
        expected = max((first, second), key=lambda code: examples[code])
        assert type(errors.judge([first, second])) is type(errors.judge([expected]))


def test_an_answer_without_codes_is_no_error() -> None:
    assert errors.error_codes(wire.parse(b"AccessID=1")) == ()


@pytest.mark.parametrize(
    ("codes", "says_so"),
    [
        (("E01110002",), True),
        (("M01004002",), True),
        (("M01051005", "M01051011", "M01004002"), False),
        (("E01010010",), False),
        ((), False),
    ],
)
def test_no_such_trade_is_believed_only_when_nothing_else_is_said(
    codes: tuple[str, ...], says_so: bool
) -> None:
    assert errors.says_no_such_trade(codes) is says_so
