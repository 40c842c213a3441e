"""Never sent or maybe sent: decided against real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateways import transport
from gateways.transport import MaybeSent, NeverSent, Transport
from tests.gateways.servers import make_certificate, over_tls, read_request, reset, serving

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na=b\n"


@pytest.fixture(autouse=True)
def _no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "before_send", None)


def post(url: str, *, read_seconds: float = 2.0) -> bytes:
    return Transport(url).post("/x", b"k=v", content_type="text/plain", read_seconds=read_seconds)


def answering(
    *parts: bytes, close: Callable[[socket.socket], None] = socket.socket.close
) -> Callable[..., None]:
    def behave(connection: socket.socket) -> None:
        read_request(connection)
        for part in parts:
            connection.sendall(part)
        close(connection)

    return behave


def reset_after_one_byte(connection: socket.socket) -> None:
    connection.recv(1)
    reset(connection)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_a_refused_connection_was_never_sent() -> None:
    with pytest.raises(NeverSent) as caught:
        post(f"http://127.0.0.1:{closed_port()}")
    assert caught.value.code == "refused"


def test_an_unknown_name_was_never_sent() -> None:
    with pytest.raises(NeverSent) as caught:
        post("http://no-such-host.invalid")
    assert caught.value.code == "dns"


def test_a_connect_timeout_was_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    # A full backlog lets further connections hang in SYN.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(address)
            time.sleep(0.1)
            with pytest.raises(NeverSent) as caught:
                post(f"http://127.0.0.1:{address[1]}")
        finally:
            for one in waiting:
                one.close()
    assert caught.value.code == "connect_timeout"


@pytest.fixture
def certificate(tmp_path: Path) -> Iterator[Path]:
    transport._tls_context.cache_clear()
    yield make_certificate(tmp_path)
    transport._tls_context.cache_clear()


def test_a_certificate_nobody_vouches_for_was_never_sent(certificate: Path) -> None:
    reached: list[bytes] = []
    behave = over_tls(certificate, lambda connection: reached.append(read_request(connection)))
    with serving(behave) as (url, _seen), pytest.raises(NeverSent) as caught:
        post(url.replace("http://127.0.0.1", "https://localhost"))
    assert caught.value.code == "tls"
    assert reached == []


def test_a_certificate_of_another_name_was_never_sent(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with serving(over_tls(certificate, answering(OK))) as (url, _seen), pytest.raises(NeverSent) as caught:
        post(url.replace("http:", "https:"))
    assert caught.value.code == "tls"


def test_a_known_certificate_carries_the_call(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with serving(over_tls(certificate, answering(OK))) as (url, _seen):
        assert post(url.replace("http://127.0.0.1", "https://localhost")) == b"a=b\n"


@pytest.mark.parametrize("broken", [reset, lambda connection: connection.sendall(b"no TLS here at all\n")])
def test_a_broken_tls_handshake_was_never_sent(broken: Callable[[socket.socket], None]) -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(1)
        broken(connection)

    with serving(behave) as (url, _seen), pytest.raises(NeverSent):
        post(url.replace("http:", "https:"))


def test_a_silent_tls_handshake_was_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    with serving(lambda connection: None) as (url, _seen), pytest.raises(NeverSent):
        post(url.replace("http:", "https:"))


@pytest.mark.parametrize(
    ("behave", "code"),
    [
        (answering(close=reset), "connection_lost"),
        (answering(), "connection_lost"),
        (reset_after_one_byte, "connection_lost"),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nhalf"), "connection_lost"),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nhalf", close=reset), "connection_lost"),
        (
            answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
            "connection_lost",
        ),
        (
            answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nhalf"),
            "connection_lost",
        ),
        (answering(b"SSH-2.0-OpenSSH\r\n"), "connection_lost"),
        (answering(close=lambda connection: None), "read_timeout"),
        (
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", close=lambda connection: None),
            "read_timeout",
        ),
        (answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwait"), "http_503"),
        (answering(b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n"), "http_204"),
        (
            answering(b"HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
            "http_302",
        ),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", b"x" * 999_999), "too_large"),
    ],
)
def test_what_breaks_after_the_connection_stands_may_have_been_executed(
    behave: Callable[[socket.socket], None], code: str
) -> None:
    with serving(behave) as (url, seen), pytest.raises(MaybeSent) as caught:
        post(url, read_seconds=0.3)
    assert caught.value.code == code
    assert len(seen) == 1, "sent once, never again"


def test_a_trickle_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.1)

    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    started = time.monotonic()
    with serving(drip) as (url, _seen), pytest.raises(MaybeSent) as caught:
        post(url, read_seconds=0.4)
    assert caught.value.code == "read_timeout"
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 3\r\nConnection: close\r\n\r\na=b",
        b"Connection: close\r\n\r\na=b",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n",
        b"Content-Length: 3\r\n\r\na=b",
    ],
)
def test_every_way_to_end_an_answer_is_understood(head: bytes) -> None:
    with serving(answering(b"HTTP/1.1 200 OK\r\n" + head)) as (url, _seen):
        sender = Transport(url)
        for _ in range(2):
            assert sender.post("/x", b"k=v", content_type="text/plain", read_seconds=1) == b"a=b"
            time.sleep(
                0.2
            )  # the end of the connection arrives before the next call, as it does between people's clicks


def keep_answering(connection: socket.socket) -> None:
    while read_request(connection):
        connection.sendall(OK)


def test_a_connection_is_kept_for_the_next_call_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(keep_answering) as (url, seen):
        sender = Transport(url)
        for _ in range(3):
            assert sender.post("/x", b"k=v", content_type="text/plain", read_seconds=1) == b"a=b\n"
        assert len(seen) == 1
        monkeypatch.setattr(transport, "MAX_IDLE_SECONDS", 0.0)
        sender.post("/x", b"k=v", content_type="text/plain", read_seconds=1)
        assert len(seen) == 2


def test_a_kept_connection_that_dies_under_the_next_call_is_not_used_again() -> None:
    answers = [OK]

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answers[0])
        read_request(connection)
        reset(connection)

    with serving(behave) as (url, seen):
        sender = Transport(url)
        sender.post("/x", b"k=v", content_type="text/plain", read_seconds=1)
        with pytest.raises(MaybeSent) as caught:
            sender.post("/x", b"k=v", content_type="text/plain", read_seconds=1)
        assert caught.value.code == "connection_lost"
        assert len(seen) == 1
        sender.post("/x", b"k=v", content_type="text/plain", read_seconds=1)
        assert len(seen) == 2


def test_each_thread_has_a_connection_of_its_own() -> None:
    with serving(keep_answering) as (url, seen):
        sender = Transport(url)
        threads = [
            threading.Thread(
                target=lambda: [
                    sender.post("/x", b"k=v", content_type="text/plain", read_seconds=5) for _ in range(5)
                ]
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 4


def test_proxies_and_passwords_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    with serving(answering(OK)) as (url, _seen):
        assert post(url) == b"a=b\n"


def test_the_hook_stops_a_call_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise RuntimeError("a transaction is open")

    monkeypatch.setattr(transport, "before_send", refuse)
    with serving(answering(OK)) as (url, seen):
        with pytest.raises(RuntimeError, match="transaction"):
            post(url)
        assert seen == []


def test_an_exception_that_nobody_thought_of_may_have_been_sent() -> None:
    assert not transport.is_never_sent(RuntimeError("?"))
    assert not transport.is_never_sent(ssl.SSLError("bad record mac"))
    assert transport.is_never_sent(ssl.SSLCertVerificationError("self-signed"))
