"""Paygent's room over raw HTTP: paths, bytes, states, lists, and the provider's own screen."""

from __future__ import annotations

from itertools import count

import pytest
import requests

from tests.sandbox_server import GOOD_CARD, SandboxHandle, start_sandbox

HEADER = {
    "merchant_id": "100000001",
    "connect_id": "sandbox",
    "connect_password": "sandboxpass",
    "telegram_version": "1.0",
}
PATHS = {"091": "/n/ref/paynotice", "094": "/n/ref/paymentref"}
_numbers = count(1)


class Client:
    """Speaks telegrams as a merchant does."""

    def __init__(self, sandbox: SandboxHandle) -> None:
        self.sandbox = sandbox

    def post(self, kind: str, *, path: str = "", **fields: str) -> requests.Response:
        path = path or PATHS.get(kind, "/n/card/request")
        data = {**HEADER, "telegram_kind": kind, **fields}
        return requests.post(f"{self.sandbox.url}/paygent{path}", data=data, timeout=10)

    def call(self, kind: str, *, path: str = "", **fields: str) -> dict[str, str]:
        text = self.post(kind, path=path, **fields).content.decode("cp932")
        assert text.startswith("\r\nresult=")
        return dict(line.split("=", 1) for line in text.split("\r\n")[1:])

    def code(self, kind: str, *, path: str = "", **fields: str) -> str:
        answer = self.call(kind, path=path, **fields)
        assert answer["result"] == "1", answer
        return answer["response_code"]

    def token(self, card: str = GOOD_CARD) -> str:
        answer = requests.post(
            f"{self.sandbox.url}/paygent/token",
            json={"cardno": card, "expire": "4912", "securitycode": "123"},
            timeout=10,
        )
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return str(answer.json()["tokenObject"]["token"])

    def paid(self, *, trading_id: str = "", amount: str = "3300", **more: str) -> dict[str, str]:
        answer = self.call(
            "020",
            trading_id=trading_id or f"T{next(_numbers)}",
            payment_amount=amount,
            payment_class="10",
            **{"3dsecure_ryaku": "1"},
            **({"card_token": self.token()} | more),
        )
        assert answer["result"] == "0", answer
        return answer

    def state(self, payment_id: str) -> str:
        return self.call("094", payment_id=payment_id)["payment_status"]


@pytest.fixture
def client(sandbox: SandboxHandle) -> Client:
    return Client(sandbox)


def authorize(client: Client, **fields: str) -> dict[str, str]:
    wish = {"payment_amount": "3300", "payment_class": "10", "3dsecure_ryaku": "1"}
    return client.call("020", **(wish | fields))


def test_an_authorization_answers_the_recorded_keys_in_their_order(client: Client) -> None:
    response = client.post(
        "020",
        payment_amount="3300",
        payment_class="10",
        card_token=client.token(),
        **{"3dsecure_ryaku": "1"},
    )
    lines = response.content.split(b"\r\n")
    assert lines[0] == b""
    assert [line.partition(b"=")[0].decode() for line in lines[1:]] == [
        "result",
        "payment_id",
        "trading_id",
        "issur_class",
        "acq_id",
        "acq_name",
        "issur_name",
        "fc_auth_umu",
        "daiko_code",
        "card_shu_code",
        "k_card_name",
        "issur_id",
        "attempt_kbn",
        "fingerprint",
        "masked_card_number",
        "card_valid_term",
        "out_acs_html",
    ]
    assert b"issur_name=\xcb\xde\xbb\xde" in lines
    assert b"masked_card_number=************1111" in lines


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("020", "/n/ref/paymentref"),
        ("094", "/n/card/request"),
        ("091", "/n/card/request"),
        ("027", PATHS["091"]),
    ],
)
def test_a_kind_on_the_wrong_path_is_p004(client: Client, kind: str, path: str) -> None:
    assert client.code(kind, path=path, payment_id="1") == "P004"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"connect_password": "wrong"}, "P001"),
        ({"merchant_id": "1"}, "P001"),
        ({"telegram_version": "2.0"}, "P002"),
        ({"trading_id": "a-b"}, "P002"),
        ({"trading_id": "a" * 26}, "P002"),
        ({"payment_id": "abc"}, "P002"),
        ({"payment_id": ""}, "P002"),
    ],
)
def test_what_is_not_accepted(client: Client, fields: dict[str, str], code: str) -> None:
    assert client.code("022", **({"payment_id": "1"} | fields)) == code
    assert client.sandbox.ledger() == []


def test_an_unknown_telegram_is_not_accepted_and_other_paths_are_no_telegrams(client: Client) -> None:
    assert client.code("999") == "P003"
    assert requests.get(f"{client.sandbox.url}/paygent/n/card/request", timeout=5).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"payment_amount": "0"},
        {"payment_amount": "10000000"},
        {"payment_amount": "1.5"},
        {"payment_class": "99"},
        {"payment_class": "61"},
        {"3dsecure_ryaku": ""},
        {"sales_mode": "x"},
        {"card_token": ""},
        {"ref_trading_id": "T1"},
    ],
)
def test_an_authorization_with_a_wrong_field(client: Client, fields: dict[str, str]) -> None:
    answer = authorize(client, **({"card_token": client.token()} | fields))
    assert (answer["result"], answer["response_code"]) == ("1", "P002")


@pytest.mark.parametrize("detail", ["1G12", "1G30", "1G44", "1G54"])
def test_a_declined_card_has_a_quoted_detail_and_a_failed_payment(client: Client, detail: str) -> None:
    answer = authorize(client, trading_id="T0", card_token=client.token(f"49990000000000{detail[2:]}"))
    assert (answer["response_code"], answer["response_detail"]) == ("2003", f'"{detail}"')
    assert client.call("094", trading_id="T0")["payment_status"] == "11"
    assert client.sandbox.ledger() == []


def test_a_card_is_taken_once_from_its_token_and_again_from_an_earlier_payment(client: Client) -> None:
    token = client.token()
    assert authorize(client, trading_id="T1", card_token=token)["result"] == "0"
    assert authorize(client, trading_id="T2", card_token=token)["response_code"] == "2311"
    again = authorize(client, trading_id="T3", ref_trading_id="T1")
    assert again["masked_card_number"] == "************1111"
    assert authorize(client, ref_trading_id="nothing")["response_code"] == "2101"


@pytest.mark.parametrize(
    ("kinds", "states", "actions"),
    [
        (["022", "023"], ["40", "60"], ["AUTH", "SALES", "RETURN"]),
        (["021"], ["32"], ["AUTH", "VOID"]),
    ],
)
def test_the_life_of_a_payment(
    client: Client, kinds: list[str], states: list[str], actions: list[str]
) -> None:
    payment_id = client.paid()["payment_id"]
    assert client.state(payment_id) == "20"
    for kind, state in zip(kinds, states, strict=True):
        answer = client.call(kind, payment_id=payment_id)
        assert (answer["result"], answer["payment_id"]) == ("0", payment_id)
        assert client.state(payment_id) == state
        assert client.code(kind, payment_id=payment_id) == "2201"
    assert [line["action"] for line in client.sandbox.ledger()] == actions


def test_authorized_and_captured_at_once(client: Client) -> None:
    payment_id = client.paid(sales_mode="1")["payment_id"]
    assert client.state(payment_id) == "40"
    assert [line["action"] for line in client.sandbox.ledger()] == ["AUTH", "SALES"]


def test_authorizations_expire_and_captures_pass_their_limit_after_sixty_days(client: Client) -> None:
    client.sandbox.set_clock("2026-01-10T23:00:00+09:00")
    held = client.paid()["payment_id"]
    sold = client.paid(sales_mode="1")["payment_id"]
    client.sandbox.set_clock("2026-03-11T23:59:00+09:00")
    assert [client.state(held), client.state(sold)] == ["20", "40"]
    client.sandbox.set_clock("2026-03-12T00:00:00+09:00")
    assert [client.state(held), client.state(sold)] == ["33", "41"]
    assert [client.code("022", payment_id=held), client.code("023", payment_id=sold)] == ["2202", "2202"]


@pytest.mark.parametrize(
    ("kind", "sales_mode", "flag", "given", "old", "new"),
    [("028", "", "0", "1000", "32", "20"), ("029", "1", "1", "2300", "60", "40")],
)
def test_a_correction_makes_a_new_payment(
    client: Client, kind: str, sales_mode: str, flag: str, given: str, old: str, new: str
) -> None:
    first = client.paid(sales_mode=sales_mode)["payment_id"]
    answer = client.call(kind, payment_id=first, payment_amount=given, reduction_flag=flag, trading_id="N1")
    assert answer["payment_id"] != first
    found = client.call("094", trading_id="N1")
    assert (found["payment_id"], found["payment_amount"]) == (answer["payment_id"], "1000")
    assert [client.state(first), found["payment_status"]] == [old, new]
    increase = {"payment_id": answer["payment_id"], "payment_amount": "1001", "reduction_flag": "0"}
    assert client.code(kind, **increase) == "2301"


def test_an_inquiry_by_trading_id_needs_exactly_one(client: Client) -> None:
    assert client.code("094", trading_id="T9") == "2101"
    assert client.code("094", payment_id="1") == "2101"
    assert client.code("094") == "P002"
    first = client.paid(trading_id="T9")["payment_id"]
    assert client.call("094", trading_id="T9")["payment_id"] == first
    second = client.paid(trading_id="T9")["payment_id"]
    assert second != first
    assert client.code("094", trading_id="T9") == "2102"
    assert client.call("094", payment_id=first, trading_id="T9")["payment_id"] == first


def test_every_change_of_state_is_one_notice(client: Client) -> None:
    payment_id = client.paid(trading_id="T8")["payment_id"]
    client.call("022", payment_id=payment_id)
    client.code("022", payment_id=payment_id)
    first, second = client.call("091"), client.call("091")
    assert [first["payment_status"], second["payment_status"]] == ["20", "40"]
    assert (first["trading_id"], first["payment_type"], first["success_code"]) == ("T8", "02", "0")
    assert client.call("091")["success_code"] == "1"
    assert client.call("091", payment_notice_id=first["payment_notice_id"]) == first
    assert client.code("091", payment_notice_id="1") == "2121"


def test_cards_are_stored_charged_listed_and_deleted(client: Client) -> None:
    customer = {"customer_id": "c-1@example"}
    stored = client.call("025", card_token=client.token(), **customer)
    assert (stored["customer_card_id"], stored["num_of_cards"]) == ("1", "1")
    client.call("025", card_token=client.token(), **customer)
    listing = client.post("027", **customer).content.decode("cp932")
    assert listing.split("\r\n") == [
        '"1","0","",""',
        '"2","customer_id","customer_card_id","card_number","card_valid_term","cardholder_name"',
        '"3","c-1@example","1","************1111","1249",""',
        '"3","c-1@example","2","************1111","1249",""',
        '"4","2"',
        "",
    ]
    assert authorize(client, stock_card_mode="1", customer_card_id="2", **customer)["result"] == "0"
    assert client.call("026", customer_card_id="1", **customer)["num_of_cards"] == "1"
    assert client.code("026", customer_card_id="1", **customer) == "2401"
    assert client.code("027", customer_id="nobody") == "2401"
    assert client.code("025", customer_id="c" * 26, card_token=client.token()) == "P002"


def test_its_own_screen_acts_by_the_rules_or_overwrites(client: Client) -> None:
    payment_id = client.paid(trading_id="T7")["payment_id"]
    wish = {"provider": "paygent", "order_id": "T7"}
    url = f"{client.sandbox.url}/_admin"
    assert requests.post(url, json={**wish, "action": "RETURN"}, timeout=5).status_code == 409
    assert requests.post(url, json={**wish, "action": "DANCE"}, timeout=5).status_code == 409
    assert requests.post(url, json=wish, timeout=5).status_code == 409
    assert requests.post(url, json={**wish, "order_id": "none"}, timeout=5).status_code == 409
    client.sandbox.control("POST", "/_admin", json={**wish, "action": "SALES"})
    assert client.state(payment_id) == "40"
    assert client.sandbox.ledger()[-1]["source"] == "admin"
    shown = client.sandbox.control("POST", "/_admin", json={**wish, "order_id": payment_id, "status": "30"})
    assert (shown["status"], client.state(payment_id)) == ("30", "30")
    assert len(client.sandbox.ledger()) == 2
    assert GOOD_CARD not in str(client.sandbox.trades())


def test_faults_strike_by_kind_and_by_trading_id(client: Client) -> None:
    one, other = client.paid(trading_id="T5")["payment_id"], client.paid(trading_id="T6")["payment_id"]
    client.sandbox.post_fault("error_code", call="paygent.022", order="T5", code="1G54")
    assert client.call("022", payment_id=other)["result"] == "0"
    refused = client.call("022", payment_id=one)
    assert (refused["response_code"], refused["response_detail"]) == ("2003", '"1G54"')
    client.sandbox.post_fault("error_code", call="022", code="E001", before=False)
    assert client.code("022", payment_id=one) == "E001"
    assert client.state(one) == "40"


@pytest.mark.parametrize(
    "wish",
    [
        {"cardno": "4111111111111112"},
        {"cardno": "x"},
        {"expire": "4913"},
        {"expire": ""},
        {"securitycode": "12"},
    ],
)
def test_card_data_that_cannot_become_a_token(client: Client, wish: dict[str, str]) -> None:
    card = {"cardno": GOOD_CARD, "expire": "4912", "securitycode": "123"} | wish
    answer = requests.post(f"{client.sandbox.url}/paygent/token", json=card, timeout=5).json()
    assert answer["resultCode"] != "000"


def test_payments_survive_a_restart_and_no_card_number_reaches_the_disk(own_sandbox: SandboxHandle) -> None:
    client = Client(own_sandbox)
    payment_id = client.paid(trading_id="T4")["payment_id"]
    client.call("025", customer_id="c", card_token=client.token())
    own_sandbox.stop(kill=True)
    for file in own_sandbox.data_dir.iterdir():
        assert GOOD_CARD.encode() not in file.read_bytes()
    again = start_sandbox(own_sandbox.data_dir)
    try:
        assert Client(again).state(payment_id) == "20"
        assert [line["provider"] for line in again.ledger("T4")] == ["paygent"]
        assert int(Client(again).paid()["payment_id"]) > int(payment_id)
    finally:
        again.stop()
