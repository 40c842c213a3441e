"""Ports and folders: can they be used, and if not, which variable names another."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cagolab.launcher.errors import LauncherError

LOCALHOST = "127.0.0.1"


def free_port() -> int:
    """A port of this machine that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free_port(port: int, *, variable: str) -> None:
    """Raise LauncherError when nothing can listen on `port`; `variable` is what the user sets instead."""
    with socket.socket() as probe:
        # As servers do: a connection of a moment ago is no reason to refuse.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
            return
        except OverflowError:
            reason = "is no port number (1 to 65535)"
        except OSError as error:
            reasons = {errno.EADDRINUSE: "is in use", errno.EACCES: "needs administrator rights"}
            reason = reasons.get(error.errno or 0, f"cannot be used ({error.strerror})")
    raise LauncherError(f"Port {port} {reason}: choose another one with {variable}=NUMBER.")


def is_listening(port: int) -> bool:
    """Whether a server of this machine accepts connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOCALHOST, port)) == 0


def data_folder(repository: Path, name: str) -> Path:
    """The folder `name` under CAGOLAB_DATA (default: `var` in the repository), made if need be."""
    root = Path(os.environ.get("CAGOLAB_DATA") or repository / "var").absolute()
    folder = root / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except (PermissionError, FileExistsError, NotADirectoryError):
        writable = False
    except OSError as error:
        raise LauncherError(f"{folder} cannot be made ({error.strerror}): set CAGOLAB_DATA.") from error
    if not writable:
        raise LauncherError(f"No permission to write in {folder}: set CAGOLAB_DATA to a folder of your own.")
    return folder


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep a second launcher out of the same data folder; the lock ends with the process, however it ends."""
    try:
        lock = (folder / "lock").open("a")
    except PermissionError:
        raise LauncherError(
            f"{folder} belongs to another user: set CAGOLAB_DATA to a folder of your own."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LauncherError(
                f"{folder} is in use by another run: stop that one, or set CAGOLAB_DATA to another folder."
            ) from None
        yield
