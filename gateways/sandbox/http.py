"""Just enough HTTP/1.1 to be a provider: read requests off a connection, write answers onto it.

http.server spends more time in its header parser than the sandbox needs for a whole payment; benchmarks run on
the same two cores as the product, so the sandbox reads HTTP by itself.
"""

from __future__ import annotations

from http import HTTPStatus

from gateways.sandbox.messages import Answer, Request

LONGEST_HEAD = 65_536
LONGEST_BODY = 4_194_304
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BadRequest(ValueError):
    """These bytes are no HTTP request."""


class Incomplete(Exception):
    """More bytes have to arrive; `expects_continue` when the client waits for our nod first."""

    def __init__(self, *, expects_continue: bool = False) -> None:
        super().__init__()
        self.expects_continue = expects_continue


def read_request(buffer: bytearray) -> tuple[Request, bool]:
    """Take one request off the front of `buffer`; also tells whether the client keeps the connection.

    Raises Incomplete (nothing was taken) and BadRequest.
    """
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > LONGEST_HEAD:
            raise BadRequest
        raise Incomplete
    lines = buffer[:end].decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest
        headers[name.lower()] = value.strip()
    body, taken = _read_body(buffer, end + 4, headers)
    del buffer[:taken]
    path, _, query = words[1].partition("?")
    connection = headers.get("connection", "").lower()
    keeps = connection == "keep-alive" if words[2] == "HTTP/1.0" else connection != "close"
    return Request(words[0], path, query, headers, body), keeps


def _read_body(buffer: bytearray, start: int, headers: dict[str, str]) -> tuple[bytes, int]:
    waits = headers.get("expect", "").lower() == "100-continue"
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _read_chunks(buffer, start, waits)
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > LONGEST_BODY:
        raise BadRequest
    end = start + int(length)
    if len(buffer) < end:
        raise Incomplete(expects_continue=waits)
    return bytes(buffer[start:end]), end


def _read_chunks(buffer: bytearray, start: int, waits: bool) -> tuple[bytes, int]:
    body = bytearray()
    while True:
        line_end = buffer.find(b"\r\n", start)
        if line_end < 0:
            raise Incomplete(expects_continue=waits)
        try:
            size = int(buffer[start:line_end].split(b";")[0], 16)
        except ValueError as error:
            raise BadRequest from error
        start = line_end + 2 + size + 2
        if len(body) + size > LONGEST_BODY:
            raise BadRequest
        if len(buffer) < start:
            raise Incomplete(expects_continue=waits)
        if size == 0:
            return bytes(body), start
        body += buffer[line_end + 2 : line_end + 2 + size]


def write_answer(answer: Answer, *, keeps: bool, states_length: bool = True) -> bytes:
    """The bytes of one answer. Without a stated length the end of the connection ends the body."""
    length = f"Content-Length: {len(answer.body)}\r\n" if states_length else ""
    extra = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    connection = "" if keeps else "Connection: close\r\n"
    return (
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\nContent-Type: {answer.content_type}\r\n"
        f"{length}{extra}{connection}\r\n"
    ).encode("latin-1") + answer.body
