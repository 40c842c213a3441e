"""Settings of an account, and its client certificate in a real TLS handshake on both sides."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import ValidationError

from gateways import registry
from gateways.interface import CaptureRequest, PaymentReference
from gateways.outcomes import Approved, NotSent, Unknown
from gateways.paygent.gateway import CAPABILITIES, PaygentGateway
from tests.gateways.journal import MemoryJournal
from tests.gateways.paygent.conftest import CREDENTIALS, account_at
from tests.gateways.servers import make_certificate, read_request, serving

PASSPHRASE = "correct horse"
DONE = b"\r\nresult=0\r\npayment_id=998"


def encrypted(plain: Path, *, passphrase: str) -> Path:
    """The same PEM file with its key encrypted, as Paygent hands it out."""
    text = plain.read_bytes()
    key = serialization.load_pem_private_key(text, password=None)
    certificate = text[text.index(b"-----BEGIN CERTIFICATE") :]
    path = plain.with_name("client.pem")
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase.encode()),
        )
        + certificate
    )
    return path


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A client certificate, its passphrase and the authority of the server."""
    (tmp_path / "client").mkdir()
    (tmp_path / "server").mkdir()
    server = make_certificate(tmp_path / "server")
    client = encrypted(make_certificate(tmp_path / "client"), passphrase=PASSPHRASE)
    return {"client_certificate": str(client), "key_passphrase": PASSPHRASE, "ca_bundle": str(server)}


def problems(**values: str) -> str:
    with pytest.raises(ValidationError) as caught:
        registry.load_account("shop", "paygent", {"base_url": "https://x.test", **CREDENTIALS, **values})
    return str(caught.value)


def test_an_account_as_the_environment_gives_it(files: dict[str, str]) -> None:
    account = account_at("https://x.test/", not_found_codes="2101, 9001,", **files)
    assert account.base_url == "https://x.test"
    assert account.not_found_codes == {"2101", "9001"}
    assert not account.corrects_decreases
    assert account.tls_context is account.tls_context
    assert "sandboxpass" not in repr(account)
    assert PASSPHRASE not in repr(account)


def test_the_sandbox_needs_no_certificate() -> None:
    assert account_at("http://127.0.0.1:1/paygent").tls_context is None


def test_https_needs_the_certificate_its_passphrase_and_the_authorities(files: dict[str, str]) -> None:
    assert "client_certificate, key_passphrase, ca_bundle: needed" in problems()
    assert "key_passphrase: needed" in problems(
        client_certificate=files["client_certificate"], ca_bundle=files["ca_bundle"]
    )


@pytest.mark.parametrize("name", ["client_certificate", "ca_bundle"])
def test_a_file_that_is_not_there_is_named(files: dict[str, str], name: str) -> None:
    said = problems(**{**files, name: "/nowhere/at-all.pem"})
    assert f"{name}: cannot" in said
    assert "/nowhere/at-all.pem" in said
    assert "there is no such file" in said


def test_a_file_that_is_no_certificate_and_a_wrong_passphrase_are_told(
    files: dict[str, str], tmp_path: Path
) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    assert "ca_bundle: cannot read" in problems(**{**files, "ca_bundle": str(nonsense)})
    said = problems(**{**files, "key_passphrase": "wrong"})
    assert "client_certificate: cannot open" in said
    assert "wrong" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [("base_url", "ftp://x"), ("merchant_id", "abc"), ("connect_password", ""), ("nonsense", "1")],
)
def test_wrong_values_are_refused(name: str, value: str) -> None:
    assert name in problems(**{name: value})


def asking_for_a_certificate(server: Path, client: Path, seen: list[object]) -> object:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    context.load_verify_locations(client)
    context.verify_mode = ssl.CERT_REQUIRED

    def behave(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            seen.append(secure.getpeercert())
            read_request(secure)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DONE) + DONE)

    return behave


def capture(gateway: PaygentGateway) -> object:
    payment = PaymentReference(order_id="a", references={"payment_id": "998"})
    return gateway.capture(payment, CaptureRequest(amount=1), MemoryJournal())


def test_the_certificate_is_shown_and_the_server_is_verified(files: dict[str, str], tmp_path: Path) -> None:
    seen: list[object] = []
    behave = asking_for_a_certificate(Path(files["ca_bundle"]), Path(files["client_certificate"]), seen)
    with serving(behave) as (url, _):  # type: ignore[arg-type]
        https = url.replace("http://127.0.0.1", "https://localhost")
        assert isinstance(capture(PaygentGateway(account_at(https, **files))), Approved)
        assert len(seen) == 1
        (tmp_path / "other").mkdir()
        stranger = str(make_certificate(tmp_path / "other"))
        unknown_server = account_at(https, **{**files, "ca_bundle": stranger})
        assert isinstance(capture(PaygentGateway(unknown_server)), NotSent)
        unknown_client = account_at(https, **{**files, "client_certificate": stranger})
        assert isinstance(capture(PaygentGateway(unknown_client)), NotSent | Unknown)
        assert len(seen) == 1


def test_what_the_registry_says_of_paygent() -> None:
    capabilities = registry.capabilities("paygent")
    assert capabilities is CAPABILITIES
    assert capabilities.loses_3ds
    assert capabilities.reports_expiry
    assert capabilities.max_amount == 9_999_999
    assert {action.value for action in capabilities.actions} == {
        "authorize",
        "capture",
        "cancel",
        "change_amount",
        "inquire",
    }
    assert {action.value for action in capabilities.resumes} == {"change_amount"}
    account = registry.load_account("p", "paygent", {"base_url": "http://x", **CREDENTIALS}).account
    assert isinstance(registry.build("paygent", account), PaygentGateway)
