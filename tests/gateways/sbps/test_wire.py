"""The bytes of SBPS: the hash and 3DES against worked examples, and XML that nobody should believe."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.sbps import wire
from gateways.sbps.wire import Block, Cipher, Leaf, Node, Unreadable
from tests.gateways.sbps.conftest import CIPHER, HASH_KEY

SHOP = ("99999", "001")
BOXED = Cipher(CIPHER["cipher_key"], CIPHER["cipher_iv"])
HEAD = "<?xml version='1.0' encoding='Shift_JIS' ?>\n"


def _nodes(*values: str) -> list[Node]:
    return [Leaf(name=f"v{number}", value=value) for number, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            (*SHOP, "00000123456789", "20250401120000", "20250401120001"),
            "73e50b0716b8b779062e1a44072e254bec691817",
        ),
        (
            (*SHOP, "00000123456789", "20250401120000", "1250", "20250401120001"),
            "e3c3f87b2643b749f0f7389f66281b34982bc60a",
        ),
        (
            (*SHOP, "00000123456789", "2", "1", "0", "20250401120001"),
            "71da9c682f31347ab3d38e84b81f611e3ba2aaf1",
        ),
        (
            (
                *SHOP, "cust-1", "ORD-0001", "item1", "保険料　１月", "1250", "1", "10", "TOKEN", "TOKENKEY",
                "0", "1", "0", "20250401120000", "600",
            ),
            "eec86e34c586d77169633cff2cefee43ad850017",
        ),
    ],
    ids=["commit and cancel", "capture", "inquiry", "authorization"],
)  # fmt: skip
def test_the_hash_is_over_the_plain_values_in_shift_jis(values: tuple[str, ...], expected: str) -> None:
    assert wire.sps_hashcode(_nodes(*values), HASH_KEY) == expected


def test_groups_are_hashed_in_the_place_where_they_stand() -> None:
    inner = Block(name="pay_option_manage", children=_nodes("1250"))
    nodes = [*_nodes(*SHOP, "00000123456789", "20250401120000"), inner, *_nodes("20250401120001")]
    assert wire.sps_hashcode(nodes, HASH_KEY) == "e3c3f87b2643b749f0f7389f66281b34982bc60a"


def test_blanks_around_a_value_count_for_nothing_and_ideographic_ones_do() -> None:
    assert wire.sps_hashcode(_nodes(" a ", "", "b\n"), "k") == wire.sps_hashcode(_nodes("a", "b"), "k")
    assert wire.plain("　a　") == "　a　"


@pytest.mark.parametrize(
    ("plain", "sealed"),
    [
        ("10", "mlbVSZmqlpU="),
        ("V", "imr/p3oP9B0="),
        ("1", "t7eHT8ZmYHw="),
        ("2", "AI3NYthFbrw="),
        ("99665", "DK8ORj0P24s="),
        ("123456", "vPyXHWle+4s="),
        ("************4242", "tnLvyAvmO0YT1WxT7ik5Jw=="),
        ("テストユーザー", "D21lg+eRL8eoA/q8xayS/A=="),
    ],
)
def test_3des_fills_up_with_spaces(plain: str, sealed: str) -> None:
    assert BOXED.encrypt(plain) == sealed
    assert BOXED.decrypt(sealed) == plain


@pytest.mark.parametrize(("plain", "sealed"), [("Allan Im", "P8Rw2Jh3J6A="), ("Allan", "JgWwkfxEzwM=")])
def test_3des_agrees_with_another_client(plain: str, sealed: str) -> None:
    cipher = Cipher("abcdefghyjklmn1234567890", "12345678")
    assert cipher.encrypt(plain) == sealed
    assert cipher.decrypt(sealed) == plain


@pytest.mark.parametrize("sealed", ["AAA", "bm90IGVpZ2h0", "カード", "////////////////"])
def test_what_is_no_3des_is_unreadable(sealed: str) -> None:
    with pytest.raises(Unreadable):
        BOXED.decrypt(sealed)


# CP932 has one code for each of these and its Unicode twin.
_TWINS = "\u00a2\u00a3\u00ac\u2016\u2212\u301c"


@given(
    st.text(
        alphabet=st.characters(codec="cp932", exclude_categories=["Cc"], exclude_characters=_TWINS),
        min_size=1,
    )
)
def test_3des_gives_back_what_it_was_given(value: str) -> None:
    assert BOXED.decrypt(BOXED.encrypt(value)) == value.rstrip(" ")


def _request(*nodes: Node, cipher: Cipher | None = None) -> str:
    return wire.write("ST01-00131-101", nodes, hash_key=HASH_KEY, cipher=cipher).decode("cp932")


def test_a_request_is_shift_jis_with_base64_for_multibyte_values() -> None:
    text = _request(Leaf(name="item_name", value="保険料　１月", is_multibyte=True), *_nodes("a<&>\"'b"))
    assert text.startswith(
        '<?xml version="1.0" encoding="Shift_JIS"?>\n<sps-api-request id="ST01-00131-101">'
    )
    assert "<item_name>lduMr5e/gUCCUIyO</item_name>" in text
    assert "<v0>a&lt;&amp;&gt;&quot;&apos;b</v0>" in text
    assert text.endswith("</sps_hashcode></sps-api-request>")


def test_empty_values_and_empty_groups_are_left_out() -> None:
    text = _request(Leaf(name="tax", value=" "), Block(name="dtls", children=[]), *_nodes("1"))
    assert "tax" not in text
    assert "dtls" not in text


def test_encryption_takes_the_place_of_base64_and_only_where_it_belongs() -> None:
    name = Leaf(name="resrv1", value="テストユーザー", is_multibyte=True, is_encrypted=True)
    text = _request(name, Leaf(name="amount", value="10"), cipher=BOXED)
    assert "<resrv1>D21lg+eRL8eoA/q8xayS/A==</resrv1><amount>10</amount>" in text
    assert wire.sps_hashcode([name], HASH_KEY) in _request(name, cipher=BOXED)


def test_a_character_that_shift_jis_has_not_is_replaced_before_hash_and_base64() -> None:
    name = Leaf(name="item_name", value="花😀屋", is_multibyte=True)
    text = _request(name)
    assert base64.b64encode("花?屋".encode("cp932")).decode() in text
    assert wire.sps_hashcode([Leaf(name="n", value="花?屋")], HASH_KEY) in text


def test_line_ends_and_tabs_in_a_value_become_spaces() -> None:
    assert wire.plain("a\tb\r\nc") == "a b  c"


def _answer(body: str, *, head: str = HEAD, cipher: Cipher | None = None) -> wire.Answer:
    return wire.read((head + body).encode("cp932"), cipher)


def test_an_answer_is_its_values_by_path() -> None:
    answer = _answer(
        '<sps-api-response id="MG01-00101-101">\n  <res_result> OK </res_result>\n\n'
        "  <res_pay_method_info><payment_status>1</payment_status><x/></res_pay_method_info>"
        "<res_err_msg>エラー&amp;</res_err_msg></sps-api-response>\n"
    )
    assert answer.api_id == "MG01-00101-101"
    assert answer.values == {
        "res_result": "OK",
        "res_pay_method_info/payment_status": "1",
        "res_pay_method_info/x": "",
        "res_err_msg": "エラー&",
    }


def test_only_the_way_of_payment_is_decrypted() -> None:
    answer = _answer(
        "<sps-api-response><res_pay_method_info><d><cc>mlbVSZmqlpU=</cc></d><e/></res_pay_method_info>"
        "<res_date>mlbVSZmqlpU=</res_date></sps-api-response>",
        cipher=BOXED,
    )
    assert answer.values == {
        "res_pay_method_info/d/cc": "10",
        "res_pay_method_info/e": "",
        "res_date": "mlbVSZmqlpU=",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html><body>maintenance</body></html>",
        "<sps-api-response><res_result>OK</res_result>".encode("cp932"),
        "<sps-api-response><res_result>OK</res_result></sps-api-response>".encode("utf-16"),
        HEAD.encode() + b"<sps-api-response>\x81</sps-api-response>",
        b"<sps-api-response><a>1</a></sps-api-response><sps-api-response/>",
        b"<sps-api-response><a>1</a><a>2</a></sps-api-response>",
        b"<sps-api-response>text<a>1</a></sps-api-response>",
        b"<sps-api-response>" + b"<a>" * 10 + b"</a>" * 10 + b"</sps-api-response>",
        b"<sps-api-response>" + b"".join(b"<a%d/>" % n for n in range(300)) + b"</sps-api-response>",
        b"<sps-api-response><a>&nbsp;</a></sps-api-response>",
    ],
)
def test_what_is_not_one_whole_answer_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        wire.read(body, None)


BOMB = (
    '<!DOCTYPE sps-api-response [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    "<sps-api-response><res_result>&c;</res_result></sps-api-response>"
)


@pytest.mark.parametrize(
    "document",
    [
        BOMB,
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><sps-api-response><a>&x;</a></sps-api-response>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/evil.dtd"><sps-api-response><a>OK</a></sps-api-response>',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]><sps-api-response/>',
        "<!DOCTYPE sps-api-response><sps-api-response><res_result>OK</res_result></sps-api-response>",
    ],
    ids=["entity bomb", "file", "outer document type", "parameter entity", "plain document type"],
)
def test_document_types_are_refused_before_they_are_looked_at(
    document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("the parser opened a connection")

    monkeypatch.setattr("socket.socket.connect", no_network)
    with pytest.raises(Unreadable, match="doctype"):
        _answer(document)


def test_what_the_document_says_of_its_encoding_does_not_matter() -> None:
    for said in ("UTF-8", "utf-16", "no-such-encoding"):
        answer = _answer(
            "<sps-api-response><a>あ</a></sps-api-response>", head=f'<?xml version="1.0" encoding="{said}"?>'
        )
        assert answer.values == {"a": "あ"}


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail_in_another_way(body: bytes) -> None:
    for whole in (body, b"<sps-api-response>" + body + b"</sps-api-response>"):
        try:
            wire.read(whole, BOXED)
        except Unreadable:
            continue
