"""How bytes travel to a provider: once, never again by themselves, and with a clear word on what is known.

Every way to fail ends in one of two exceptions: `NeverSent` (no byte of the request left the machine) and
`MaybeSent` (the provider may have executed it). `is_never_sent` alone decides between them.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

# Long enough for a lost SYN to be sent three times (after 1, 3 and 7 seconds).
CONNECT_SECONDS = 10.0
# A connection that rested longer may have been closed at the other end while our next request is under way,
# which is an unknown outcome. Within a bulk run the pauses are far shorter.
MAX_IDLE_SECONDS = 3.0
# The longest answers (lists of cards) have a few kilobytes.
MAX_ANSWER_BYTES = 262_144

# Registered at start by the application that owns the database: raises while a transaction is open.
before_send: Callable[[], None] | None = None


class NeverSent(Exception):
    """No byte of the request left the machine. `code` says why, in one word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MaybeSent(Exception):
    """The request may have been executed. `body` is what came of an answer, for the journal."""

    def __init__(self, code: str, body: bytes = b"") -> None:
        super().__init__(code)
        self.code = code
        self.body = body


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it wraps, from the outside in: requests keeps it in args, urllib3 in reason."""
    link: BaseException | None = error
    for _ in range(10):
        if link is None:
            return
        yield link
        inner = getattr(link, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((part for part in link.args if isinstance(part, BaseException)), link.__cause__)
        link = inner


def is_never_sent(error: BaseException) -> bool:
    """Whether it is certain that nothing was sent: no name, no connection, no TLS session.

    Whatever else happened (timeout while reading, reset, a stale connection, half a body) may have happened
    after the provider had the request.
    """
    for link in _chain(error):
        if isinstance(link, ReadTimeoutError | ProtocolError):
            return False
        if isinstance(link, ConnectTimeoutError | ssl.SSLCertVerificationError):
            return True
    return False


def failure_code(error: BaseException) -> str:
    """One word for the journal and the log; the exception's own text may contain addresses."""
    links = list(_chain(error))
    words: tuple[tuple[type[BaseException], str], ...] = (
        (ssl.SSLError, "tls"),
        (NameResolutionError, "dns"),
        (ConnectionRefusedError, "refused"),
        (ReadTimeoutError, "read_timeout"),
    )
    for kind, word in words:
        if any(isinstance(link, kind) or isinstance(link.__cause__, kind) for link in links):
            return word
    if not is_never_sent(error):
        return "connection_lost"
    timeouts = (link for link in links if type(link) is ConnectTimeoutError)
    return "connect_timeout" if any(timeouts) else "unreachable"


class _Connecting:
    """Mixed into urllib3's connections: whatever fails while connecting fails as NewConnectionError.

    urllib3 reports a timeout or a reset in the TLS handshake exactly like one after the request was sent.
    """

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except ConnectTimeoutError:
            raise
        except Exception as error:
            raise NewConnectionError(self, "no connection") from error  # type: ignore[arg-type]
        # Answers that end the connection take the socket away from it; the deadline still needs it.
        self.connected_socket = self.sock  # type: ignore[attr-defined]


class _PlainConnection(_Connecting, HTTPConnection):
    pass


class _TlsConnection(_Connecting, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


@cache
def _tls_context() -> ssl.SSLContext:
    """Verifies certificates and names. Shared, because loading the authorities costs 10 ms and more."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _Adapter(HTTPAdapter):
    """One connection, no retries, one TLS context for the process."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        if self._context is not None:
            kwargs["ssl_context"] = self._context
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the authorities to the shared context; requests would load them for every connection."""
        conn.cert_reqs = "CERT_REQUIRED"


class _Session(requests.Session):
    """No proxies or passwords from the environment, no redirects: a redirect is not an answer."""

    def __init__(self, base_url: str, tls: ssl.SSLContext | None) -> None:
        super().__init__()
        self.trust_env = False
        self.adapters.clear()
        self.mount(base_url, _Adapter((tls or _tls_context()) if base_url.startswith("https:") else None))
        self.last_used = 0.0

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: requests would read the whole body of a redirect to find the next address."""


class Transport:
    """Posts to one provider account: a session and a connection per thread.

    `base_url` is what every address begins with, without a slash at its end. `tls` carries a certificate of
    our own and its authorities, where the provider asks for one.
    """

    def __init__(self, base_url: str, *, tls: ssl.SSLContext | None = None) -> None:
        self._base_url = base_url
        self._tls = tls
        self._of_thread = threading.local()

    def post(
        self,
        path: str,
        body: bytes,
        *,
        content_type: str,
        read_seconds: float,
        authorization: str | None = None,
    ) -> bytes:
        """Send once and return the body of a 200 answer.

        No pause in the answer may be longer than `read_seconds`, and the whole call takes at most that and
        CONNECT_SECONDS (lists of addresses and their look-up aside). Raises NeverSent and MaybeSent, and
        whatever `before_send` raises.
        """
        if before_send is not None:
            before_send()
        session = self._session()
        headers = {"Content-Type": content_type, "Accept": "*/*", "User-Agent": "cagolab"}
        if authorization is not None:
            headers["Authorization"] = authorization
        request = requests.Request("POST", self._base_url + path, headers=headers, data=body).prepare()
        deadline = time.monotonic() + CONNECT_SECONDS + read_seconds
        try:
            response = session.send(
                request, stream=True, allow_redirects=False, timeout=(CONNECT_SECONDS, read_seconds)
            )
            with response:
                answer = _read(response.raw, deadline, read_seconds)
        except (requests.RequestException, HTTPError, OSError) as error:
            session.close()
            if is_never_sent(error):
                raise NeverSent(failure_code(error)) from error
            raise MaybeSent(failure_code(error)) from error
        except MaybeSent:
            session.close()
            raise
        session.last_used = time.monotonic()
        if response.status_code != 200:
            raise MaybeSent(f"http_{response.status_code}", answer)
        return answer

    def _session(self) -> _Session:
        session: _Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = _Session(self._base_url, self._tls)
        elif time.monotonic() - session.last_used > MAX_IDLE_SECONDS:
            session.close()
        return session


def _read(raw: urllib3.BaseHTTPResponse, deadline: float, read_seconds: float) -> bytes:
    """The body, read until the deadline: a socket's own timeout starts anew with every drop of a trickle."""
    parts: list[bytes] = []
    size = 0
    socket = getattr(raw.connection, "connected_socket", None)
    while True:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise MaybeSent("read_timeout", b"".join(parts))
        # An answer that ends the connection closes the socket with its last byte.
        if socket is not None and socket.fileno() >= 0:
            socket.settimeout(min(remaining, read_seconds))
        part = raw.read1(65_536, decode_content=False)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise MaybeSent("too_large", b"".join(parts)[:MAX_ANSWER_BYTES])
