"""How gunicorn serves the back office, in demo and production. Command-line options override."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cagolab import warm_up
from cagolab.config import load_or_exit

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

# Here, before the first worker: gunicorn would start a worker that exits with code 1 again and again.
load_or_exit(os.environ)

wsgi_app = "cagolab.wsgi"
# Loaded once, before the workers are forked: half the time to start, and shared memory.
preload_app = True
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# A page that waits for a provider occupies a thread, not a process.
threads = 8
# Longer than the longest wait for a provider inside one page (three telegrams in a row).
timeout = 180
graceful_timeout = 30
# Workers tell the master that they live by touching a file; a disk could make them wait.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - not a name, a memory disk
# Nobody speaks to it, and it would lie in the home directory, one for all installations of a user.
control_socket_disable = True


def when_ready(server: Arbiter) -> None:
    """Before the first worker is forked; the workers share what is loaded here."""
    warm_up.load_pages()
    warm_up.keep_what_is_loaded()
