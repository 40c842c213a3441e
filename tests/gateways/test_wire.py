"""The bytes of GMO-PG, against recorded exchanges and what a broken line may hold."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.gmopg import wire


def test_recorded_japanese_is_sent_as_cp932_before_percent_encoding() -> None:
    body = wire.encode({"ClientField1": "～－￠￡￢－∥①"})
    assert body == b"ClientField1=%81%60%81%7C%81%91%81%92%81%CA%81%7C%81a%87%40"
    assert unquote_to_bytes(body.partition(b"=")[2]).decode("cp932") == "～－￠￡￢－∥①"


@pytest.mark.parametrize(
    ("typed", "arrives"),
    [
        ("〜", "～"),
        ("−", "－"),
        ("‖", "∥"),
        ("¥", "￥"),
        ("髙﨑", "髙﨑"),
        ("𠮷田", "〓田"),
        ("☕1杯", "〓1杯"),
    ],
)
def test_what_cp932_does_not_have_becomes_its_twin_or_a_geta_mark(typed: str, arrives: str) -> None:
    assert wire.to_cp932(typed).decode("cp932") == arrives


@given(st.text())
def test_any_text_can_be_sent(text: str) -> None:
    assert wire.encode({"ClientField1": text}).isascii()


def test_values_of_answers_are_raw() -> None:
    fields = wire.parse(b"Token=a+b/c==&MemberID=shop@example.jp&Approve= 004536\r\n")
    assert fields == {"token": "a+b/c==", "memberid": "shop@example.jp", "approve": " 004536"}


def test_keys_are_read_in_any_case_and_half_width_kana_survive() -> None:
    assert wire.parse("ERRCODE=E01&MemberName=ﾔﾏﾀﾞ".encode("cp932")) == {
        "errcode": "E01",
        "membername": "ﾔﾏﾀﾞ",
    }


def test_the_second_3d_secure_keeps_the_bare_parameters_of_its_address() -> None:
    url = "https://manage.tds2gw.gmopg.jp/api/v2/brw/callback?transId=1&t=2"
    assert wire.parse(f"ACS=2&RedirectUrl={url}".encode()) == {"acs": "2", "redirecturl": url}


def test_the_first_3d_secure_is_cut_at_its_known_keys() -> None:
    assert wire.parse(b"ACS=1&ACSUrl=https://acs.example/?a=1&b=2&PaReq=eJx&=+/&MD=abc") == {
        "acs": "1",
        "acsurl": "https://acs.example/?a=1&b=2",
        "pareq": "eJx&=+/",
        "md": "abc",
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"<html>maintenance</html>",
        b"Sorry",
        b"AccessID=1&Acc",
        b"AccessID=1&AccessID=2",
        b"Status=AUTH\r\nStatus=AUTH",
        b"ACS=1&ACSUrl=https://acs.example/",
        "AccessID=1".encode("utf-16"),
        b"AccessID=\x81",
    ],
)
def test_what_is_not_a_whole_answer_is_unreadable(body: bytes) -> None:
    with pytest.raises(wire.Unreadable):
        wire.parse(body)


@given(st.binary())
def test_any_bytes_are_read_or_unreadable(body: bytes) -> None:
    try:
        wire.parse(body)
    except wire.Unreadable:
        return


def test_lists_become_records_by_position() -> None:
    fields = wire.parse(b"CardSeq=0|1&CardNo=*111|*222&DeleteFlag=0|1")
    assert wire.records(fields, "CardSeq", "CardNo", "DeleteFlag") == [
        {"CardSeq": "0", "CardNo": "*111", "DeleteFlag": "0"},
        {"CardSeq": "1", "CardNo": "*222", "DeleteFlag": "1"},
    ]
    with pytest.raises(wire.Unreadable):
        wire.records(wire.parse(b"CardSeq=0|1&CardNo=*111"), "CardSeq", "CardNo")
