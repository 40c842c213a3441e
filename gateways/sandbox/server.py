"""The HTTP server: one event loop, every connection kept alive, latency and faults between call and answer.

A call is executed in one go on the loop, in one SQLite transaction; only waiting is concurrent. So two calls on
one trade can never interleave, and hundreds of slow ones cost next to nothing.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from gateways.sandbox import control, http
from gateways.sandbox.faults import Fault
from gateways.sandbox.messages import INTERNAL_ERROR, MAINTENANCE, NOT_FOUND, UNAVAILABLE, Answer, Request
from gateways.sandbox.rooms import Visit
from gateways.sandbox.town import Town

BACKLOG = 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """One client. Requests on it are answered one after the other."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._continued = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio sets TCP_NODELAY by itself."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect until a request is complete."""
        self._buffer += data
        if self._task is None:
            self._read_next()

    def _read_next(self) -> None:
        if not self._buffer or self._transport.is_closing():
            return
        try:
            request, keeps = http.read_request(self._buffer)
        except http.Incomplete as missing:
            if missing.expects_continue and not self._continued:
                self._continued = True
                self._transport.write(http.CONTINUE)
            return
        except http.BadRequest:
            self._transport.write(http.write_answer(Answer(b"", status=400), keeps=False))
            self._transport.close()
            return
        self._continued = False
        self._task = asyncio.get_running_loop().create_task(self._serve(request, keeps))

    async def _serve(self, request: Request, keeps: bool) -> None:
        try:
            await self._answer(request, keeps)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            self._write(INTERNAL_ERROR, keeps=False)
        self._task = None
        self._read_next()

    async def _answer(self, request: Request, keeps: bool) -> None:
        if request.path.startswith("/_"):
            self._write(control.answer(self._town, request), keeps=keeps)
            return
        room = self._town.room_of(request.path)
        if room is None:
            self._write(NOT_FOUND, keeps=keeps)
            return
        visit = room.receive(request)
        if visit.name is None:
            self._write(visit.execute(), keeps=keeps)
            return
        fault = self._town.faults.take(room.name, visit.name, visit.order)
        # Half before and half after executing: a client that dies in between may find either.
        pause = self._town.house.settings["latency_ms"] / 2000
        if pause:
            await asyncio.sleep(pause)
        if fault is not None:
            await self._deliver_faulty(visit, fault, keeps, pause)
            return
        answer = visit.execute()
        if pause:
            await asyncio.sleep(pause)
        self._write(answer, keeps=keeps)

    async def _deliver_faulty(self, visit: Visit, fault: Fault, keeps: bool, pause: float) -> None:
        wait = fault.ms / 1000
        if fault.kind == "delay_ms" and fault.before:
            await asyncio.sleep(wait)
            self._write(visit.execute(), keeps=keeps)
            return
        answer = MAINTENANCE if fault.before else visit.execute()
        await asyncio.sleep(pause)
        if fault.kind == "slow_body":
            await self._write_slowly(answer, wait)
            return
        await asyncio.sleep(wait)
        match fault.kind:
            case "delay_ms":
                self._write(answer, keeps=keeps)
            case "lost_answer":
                self._transport.close()
            case "reset_before":
                self._reset()
            case "http_500":
                self._write(INTERNAL_ERROR, keeps=keeps)
            case "http_503":
                self._write(UNAVAILABLE, keeps=keeps)
            case "html":
                self._write(MAINTENANCE, keeps=keeps)
            case "empty":
                self._write(Answer(b"", content_type=answer.content_type), keeps=keeps)
            case "error_code":
                self._write(visit.refuse(fault.code) if visit.refuse else INTERNAL_ERROR, keeps=keeps)
            case "half":
                self._write_half(answer)
            case "wrong_encoding":
                body = answer.body.decode("cp932", "replace").encode("utf-16")
                self._write(Answer(body, content_type=answer.content_type), keeps=keeps)
            case "duplicate_answer":
                self._transport.write(http.write_answer(answer, keeps=True) * 2)

    def _write(self, answer: Answer, *, keeps: bool) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(http.write_answer(answer, keeps=keeps))
        if not keeps:
            self._transport.close()

    def _write_half(self, answer: Answer) -> None:
        # Without a stated length, as GMO-PG answers: nothing but the content tells that the rest is missing.
        half = Answer(answer.body[: len(answer.body) // 2], content_type=answer.content_type)
        self._transport.write(http.write_answer(half, keeps=False, states_length=False))
        self._transport.close()

    async def _write_slowly(self, answer: Answer, wait: float) -> None:
        whole = http.write_answer(answer, keeps=False)
        cut = len(whole) - len(answer.body) // 2
        self._transport.write(whole[:cut])
        await asyncio.sleep(wait)
        if not self._transport.is_closing():
            self._transport.write(whole[cut:])
            self._transport.close()

    def _reset(self) -> None:
        connected = self._transport.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._transport.abort()


async def run(
    *, host: str, port: int, data_dir: Path, ready: Callable[[str], None], stop: asyncio.Event
) -> None:
    """Serve until `stop` is set. `ready` gets the URL. Raises OSError where the port is not free."""
    loop = asyncio.get_running_loop()
    town: Town | None = None
    running: list[asyncio.Task[None]] = []
    listening = await loop.create_server(
        lambda: Connection(_present(town)), host, port, backlog=BACKLOG, start_serving=False
    )
    try:
        # Only the process that owns the port touches the storage.
        town = Town(data_dir)
        running = [loop.create_task(notifier.push()) for notifier in town.notifiers.values()]
        running.append(loop.create_task(town.tick()))
        await listening.start_serving()
        ready(f"http://{host}:{listening.sockets[0].getsockname()[1]}")
        await stop.wait()
    finally:
        listening.close()
        for task in running:
            task.cancel()
        if town is not None:
            town.close()


def _present(town: Town | None) -> Town:
    assert town is not None  # noqa: S101 - serving starts after the town was built
    return town


def serve(*, host: str, port: int, data_dir: Path) -> int:
    """Serve in this process until SIGTERM or SIGINT. Returns the exit code: 1 when the port is in use."""

    async def until_signal() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await run(host=host, port=port, data_dir=data_dir, ready=_announce, stop=stop)

    try:
        asyncio.run(until_signal())
    except OSError as error:
        reason = (
            "the port is already in use"
            if error.errno == errno.EADDRINUSE
            else (error.strerror or str(error))
        )
        sys.stderr.write(f"The sandbox cannot start on {host}:{port}: {reason}.\n")
        return 1
    return 0


def _announce(url: str) -> None:
    sys.stdout.write(f"The sandbox is ready on {url}\n")
    sys.stdout.flush()


class ThreadedServer:
    """The sandbox inside this process, in a thread of its own; for a launcher that wants no second process."""

    def __init__(self, *, data_dir: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        self.url = ""
        self._error: OSError | None = None
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._main, args=(host, port, data_dir), daemon=True)

    def start(self) -> None:
        """Returns when the server answers. Raises OSError where the port is not free."""
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Returns when the port is free again."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _main(self, host: str, port: int, data_dir: Path) -> None:
        try:
            self._loop.run_until_complete(
                run(host=host, port=port, data_dir=data_dir, ready=self._ready, stop=self._stop)
            )
        except OSError as error:
            self._error = error
        finally:
            self._started.set()
            self._loop.close()

    def _ready(self, url: str) -> None:
        self.url = url
        self._started.set()
