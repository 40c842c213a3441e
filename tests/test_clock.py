"""The clock of demo and tests is the sandbox's, also when a connection that stayed open has just been closed."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cagolab import clock


class Sandbox:
    """Answers once on its first connection and closes it at the second question; then answers on a new one."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        first, _ = self._listener.accept()
        with first:
            self._answer(first, offset=0)
            first.recv(4096)
        second, _ = self._listener.accept()
        with second:
            self._answer(second, offset=3600)

    def _answer(self, connection: socket.socket, *, offset: int) -> None:
        connection.recv(4096)
        body = json.dumps({"offset": offset})
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    def close(self) -> None:
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def sandbox(settings: Any) -> Iterator[Sandbox]:
    made = Sandbox()
    settings.SANDBOX_URL = made.url
    clock.forget_offset()
    yield made
    made.close()
    clock.forget_offset()


def _offset() -> timedelta:
    clock.forget_offset()
    return clock.now() - datetime.now(UTC)


def test_a_connection_that_was_closed_when_it_was_used_again_does_not_leave_the_clock_behind(
    sandbox: Sandbox,
) -> None:
    assert abs(_offset()) < timedelta(seconds=5)
    assert abs(_offset() - timedelta(hours=1)) < timedelta(seconds=5)
