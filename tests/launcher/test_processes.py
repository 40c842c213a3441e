"""Programs live and end together, and none is left running."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cagolab.launcher.errors import Interrupted, LauncherError
from cagolab.launcher.processes import Supervisor

REPOSITORY = Path(__file__).parent.parent.parent
SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]
IGNORES_TERM = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]
# A child of the program in the same group, as gunicorn's and celery's are.
HAS_A_CHILD = [
    sys.executable,
    "-c",
    "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    " print(p.pid, flush=True); p.wait()",
]


def is_running(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(happened: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def test_what_a_program_says_appears_behind_its_name() -> None:
    output = io.StringIO()
    with Supervisor(output=output) as supervisor:
        supervisor.run(
            "greeter",
            [sys.executable, "-c", "print('こんにちは')"],
            environment={"PYTHONIOENCODING": "utf-8"},
            folder=REPOSITORY,
        )

    assert output.getvalue() == "  greeter | こんにちは\n"


def test_leaving_stops_every_program_and_its_children() -> None:
    output = io.StringIO()
    with Supervisor(output=output) as supervisor:
        sleeper = supervisor.start("sleeper", SLEEPS)
        parent = supervisor.start("parent", HAS_A_CHILD)
        supervisor.wait_until(lambda: "|" in output.getvalue(), seconds=20)
        child = int(output.getvalue().split("|")[1])
        assert is_running(child)

    assert sleeper.returncode == -signal.SIGTERM
    assert parent.returncode == -signal.SIGTERM
    wait_for(lambda: not is_running(child))


def test_a_program_that_dies_ends_the_wait_with_its_name() -> None:
    with Supervisor(output=io.StringIO()) as supervisor:
        other = supervisor.start("other", SLEEPS)
        supervisor.start("worker", [sys.executable, "-c", "raise SystemExit(3)"])
        with pytest.raises(LauncherError, match=r"^worker has ended \(exit code 3\)\.$"):
            supervisor.wait_until(lambda: False, seconds=20)

    assert other.returncode is not None


def test_a_step_that_fails_says_which_one() -> None:
    with (
        Supervisor(output=io.StringIO()) as supervisor,
        pytest.raises(LauncherError, match=r"^migrate failed \(exit code 2\)"),
    ):
        supervisor.run(
            "migrate", [sys.executable, "-c", "raise SystemExit(2)"], environment={}, folder=REPOSITORY
        )


def test_a_program_that_does_not_exist_is_one_line() -> None:
    with (
        Supervisor(output=io.StringIO()) as supervisor,
        pytest.raises(LauncherError, match=r"^web cannot be started: No such file or directory\.$"),
    ):
        supervisor.start("web", ["/no/such/program"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_wait_and_stops_everything(number: signal.Signals) -> None:
    with pytest.raises(Interrupted), Supervisor(output=io.StringIO()) as supervisor:  # noqa: PT012
        sleeper = supervisor.start("sleeper", SLEEPS)
        os.kill(os.getpid(), number)
        supervisor.wait_until(lambda: False, seconds=20)

    assert sleeper.returncode == -signal.SIGTERM


def test_a_second_signal_kills_what_does_not_end() -> None:
    output = io.StringIO()
    began = time.monotonic()
    with pytest.raises(Interrupted), Supervisor(output=output) as supervisor:  # noqa: PT012
        deaf = supervisor.start("deaf", IGNORES_TERM)
        supervisor.wait_until(lambda: "deaf\n" in output.getvalue(), seconds=20)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        supervisor.wait_until(lambda: False, seconds=20)

    assert deaf.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 10


def test_a_command_in_the_foreground_hands_on_its_exit_code() -> None:
    with Supervisor() as supervisor:
        command = [sys.executable, "-c", "raise SystemExit(7)"]
        assert supervisor.run_in_foreground(command, environment=os.environ) == 7


def test_terminating_the_launcher_terminates_the_command_in_the_foreground(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    command = (
        f"import os, pathlib, time; pathlib.Path({str(told)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    given = {"DATABASE_URL": "postgresql://unused/unused", "REDIS_URL": "redis://unused"}
    launcher = subprocess.Popen(
        [sys.executable, "-m", "cagolab.launcher", "run", "--", sys.executable, "-c", command],
        cwd=REPOSITORY,
        env={**os.environ, **given},
    )
    wait_for(lambda: told.exists() and bool(told.read_text()))
    launcher.terminate()

    assert launcher.wait(timeout=20) == 128 + signal.SIGTERM
    assert not is_running(int(told.read_text()))
