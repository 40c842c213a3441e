"""Start programs together, show what they say, and leave none running.

Every program leads a process group of its own: Ctrl-C in the terminal reaches the launcher only, which then
stops the programs in the right order. A second Ctrl-C kills them.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, TypeAlias

from cagolab.launcher.errors import Interrupted, LauncherError

# A worker may be inside a call to a provider. What is cut off here is found again by recovery.
PROGRAM_GRACE_SECONDS = 15.0
# PostgreSQL writes a checkpoint before it ends.
SERVER_GRACE_SECONDS = 30.0
POLL_SECONDS = 0.05
# Linux: the signal that a process gets when its parent dies, even by SIGKILL.
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
Account: TypeAlias = pwd.struct_passwd
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def as_account(user: Account | None) -> dict[str, Any]:
    """The arguments of Popen that give up root's rights for those of `user`."""
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _die_with_the_launcher(stop_signal: signal.Signals) -> None:
    """Runs in the child between fork and exec: nothing but the one call is allowed here."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, int(stop_signal))


@dataclass
class _Running:
    name: str
    process: subprocess.Popen[str]
    stop_signal: signal.Signals
    is_server: bool
    leads_group: bool
    reader: threading.Thread | None = None

    def send(self, number: signal.Signals) -> None:
        """Signal the program; its whole group when it leads one."""
        try:
            if self.leads_group and number is signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)
        except ProcessLookupError:
            pass


class Supervisor:
    """A set of programs that live and end together. Use it as a context manager, in the main thread."""

    def __init__(self, *, output: IO[str] = sys.stdout) -> None:
        self._output = output
        self._running: list[_Running] = []
        self._signals: list[int] = []
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Supervisor:
        for number in STOP_SIGNALS:
            self._handlers[number] = signal.signal(number, self._remember)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        log: Path | None = None,
        user: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        is_server: bool = False,
        input_text: str | None = None,
    ) -> subprocess.Popen[str]:
        """Start a program; its lines appear behind its name, or go to the file `log`.

        Servers (`is_server`) are stopped after everything else.
        """
        self.check()
        output = log.open("a") if log else None
        try:
            process = subprocess.Popen(
                [str(part) for part in command],
                env=None if environment is None else dict(environment),
                cwd=folder,
                stdin=subprocess.PIPE if input_text is not None else subprocess.DEVNULL,
                stdout=output or subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                preexec_fn=partial(_die_with_the_launcher, stop_signal),
                **as_account(user),
            )
        except OSError as error:
            raise LauncherError(f"{name} cannot be started: {error.strerror}.") from error
        finally:
            if output:
                output.close()
        running = _Running(name, process, stop_signal, is_server, leads_group=True)
        self._running.append(running)
        if input_text is not None and process.stdin:
            process.stdin.write(input_text)
            process.stdin.close()
        if process.stdout:
            running.reader = threading.Thread(target=self._show, args=(name, process.stdout), daemon=True)
            running.reader.start()
        return process

    def run(
        self, name: str, command: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path
    ) -> None:
        """Run a program to its end. Raises LauncherError when it fails, Interrupted when asked to stop."""
        process = self.start(name, command, environment=environment, folder=folder)
        self.wait_until(lambda: process.poll() is not None, ending=process)
        self.forget(process)
        if process.returncode:
            raise LauncherError(f"{name} failed (exit code {process.returncode}); its last lines say why.")

    def run_in_foreground(self, command: Sequence[str], *, environment: Mapping[str, str]) -> int:
        """Run a program on this terminal and return its exit code.

        It stays in the terminal's process group: Ctrl-C reaches it directly, other signals are passed on.
        """
        try:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                text=True,
                preexec_fn=partial(_die_with_the_launcher, signal.SIGTERM),
            )
        except OSError as error:
            raise LauncherError(f"{command[0]} cannot be started: {error.strerror}.") from error
        self._running.append(
            _Running(command[0], process, signal.SIGTERM, is_server=False, leads_group=False)
        )
        seen = 0
        while process.poll() is None:
            if len(self._signals) > seen:
                seen = len(self._signals)
                if self._signals[-1] != signal.SIGINT or seen > 1:
                    process.terminate()
            dead = self._dead(besides=process)
            if dead:
                raise LauncherError(f"{dead.name} has ended (exit code {dead.process.returncode}).")
            time.sleep(POLL_SECONDS)
        self.forget(process)
        return process.returncode if process.returncode >= 0 else 128 - process.returncode

    def wait_until(
        self,
        happened: Callable[[], bool],
        *,
        seconds: float = float("inf"),
        ending: subprocess.Popen[str] | None = None,
    ) -> bool:
        """Wait until something is true; False after `seconds`.

        Raises Interrupted, and LauncherError when a program dies meanwhile (but `ending`, which may end).
        """
        until = time.monotonic() + seconds
        while True:
            if happened():
                return True
            self.check(ending=ending)
            if time.monotonic() >= until:
                return False
            time.sleep(POLL_SECONDS)

    def check(self, *, ending: subprocess.Popen[str] | None = None) -> None:
        """Raise Interrupted when asked to stop, LauncherError when a program has died."""
        if self._signals:
            raise Interrupted
        dead = self._dead(besides=ending)
        if dead:
            raise LauncherError(f"{dead.name} has ended (exit code {dead.process.returncode}).")

    def stop(self) -> None:
        """Stop all programs, then all servers; kill what does not end in time or after a second Ctrl-C."""
        for is_server, grace in ((False, PROGRAM_GRACE_SECONDS), (True, SERVER_GRACE_SECONDS)):
            self._stop([running for running in self._running if running.is_server is is_server], grace)
        self._running.clear()

    def _stop(self, programs: list[_Running], grace: float) -> None:
        for program in programs:
            if program.process.poll() is None:
                program.send(program.stop_signal)
        until = time.monotonic() + grace
        while any(program.process.poll() is None for program in programs):
            if time.monotonic() >= until or len(self._signals) > 1:
                break
            time.sleep(POLL_SECONDS)
        for program in programs:
            # Also where the leader has ended: one of its children may not have.
            if program.leads_group or program.process.poll() is None:
                program.send(signal.SIGKILL)
            program.process.wait()
            if program.reader:
                program.reader.join(timeout=1)

    def named(self, name: str) -> subprocess.Popen[str]:
        """The running program that was started last under this name. Raises KeyError."""
        return {running.name: running.process for running in self._running}[name]

    def forget(self, process: subprocess.Popen[str]) -> None:
        """Take a program that has ended off the list of those that must live."""
        ended = [running for running in self._running if running.process is process]
        self._running = [running for running in self._running if running.process is not process]
        for running in ended:
            if running.reader:
                running.reader.join(timeout=1)

    def _dead(self, *, besides: subprocess.Popen[str] | None) -> _Running | None:
        for running in self._running:
            if running.process is not besides and running.process.poll() is not None:
                return running
        return None

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _show(self, name: str, lines: IO[str]) -> None:
        for line in lines:
            self._output.write(f"{name:>9} | {line.rstrip()}\n")
            self._output.flush()
