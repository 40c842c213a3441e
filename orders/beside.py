"""Something read in a session of its own while the request goes on: what a page shows besides its rows.

A search reads the rows of its page and counts all that match. One after the other takes twice as long, and neither
needs the other. A page that would wait too long for its total is shown without; it asks for it at once, and finds the
count still under way where the same process answers.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from orders.time_limit import is_given_up

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

# Threads of one process, each with a session; beyond them nothing is read beside a request.
MOST: Final = 4
# A thread that had nothing to do for so long ends its session; a new one takes 50 ms before it answers.
IDLE_SECONDS = 300.0
# How long one statement may take.
STATEMENT_MS = 150
# How long a page waits for its total once its rows are there.
WAIT_SECONDS = 0.02
# A page asks again at once; what nobody has asked for by then is not asked for any more. So many are kept at most.
LEFT_SECONDS = 2.0
MOST_LEFT: Final = 50

_jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
_lock = threading.Lock()
_threads = 0
_free = 0
_left: OrderedDict[Hashable, tuple[float, Future[Any]]] = OrderedDict()


class Beside(Generic[Answer]):
    """One answer; `start` may be called again and does nothing then. `key` stands for what is asked."""

    def __init__(self, read: Callable[[], Answer], *, key: Hashable) -> None:
        self._read, self._key = read, key
        self._answer: Future[Answer | None] | None = None

    def start(self) -> None:
        """Begin, unless all threads are busy, or this session has written what another one cannot see yet."""
        if self._answer is not None or connection.in_atomic_block:
            return
        answer: Future[Answer | None] = Future()
        if _hand_over(answer, self._read):
            self._answer = answer

    def answer(self) -> Answer | None:
        """Wait for it, not for long; None when it was not begun, is not there yet, a statement took too long, or the
        session was lost. What is not there yet goes on and can be found by its key."""
        if self._answer is None:
            return None
        try:
            return self._answer.result(WAIT_SECONDS)
        except TimeoutError:
            _leave(self._key, self._answer)
            return None


def left(key: Hashable) -> Any:
    """Wait for what a page of this process went without a moment ago; None when there is nothing, or it failed."""
    with _lock:
        since, answer = _left.pop(key, (0.0, None))
    return answer.result() if answer and time.monotonic() - since < LEFT_SECONDS else None


def _leave(key: Hashable, answer: Future[Any]) -> None:
    with _lock:
        _left[key] = (time.monotonic(), answer)
        while len(_left) > MOST_LEFT:
            _left.popitem(last=False)


def _settled(answer: Future[Any], read: Callable[[], Any]) -> Callable[[], None]:
    """Read, and tell how to say what came of it."""
    try:
        close_old_connections()
        if connection.connection is None:
            # For the whole session: three statements less than for each answer.
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(STATEMENT_MS)])
        return functools.partial(answer.set_result, read())
    except (OperationalError, InterfaceError) as error:
        if not is_given_up(error):
            logger.warning("What is read beside a page is left out: %s", error)
        return functools.partial(answer.set_result, None)
    except BaseException as error:
        return functools.partial(answer.set_exception, error)


def _hand_over(answer: Future[Any], read: Callable[[], Any]) -> bool:
    global _threads, _free  # noqa: PLW0603 - counts of this process, under the lock
    with _lock:
        if _free:
            _free -= 1
        elif _threads < MOST:
            _threads += 1
            threading.Thread(target=_work, name="beside", daemon=True).start()
        else:
            return False
        _jobs.put((answer, read))
    return True


def _work() -> None:
    global _threads, _free  # noqa: PLW0603
    while True:
        try:
            answer, read = _jobs.get(timeout=IDLE_SECONDS)
        except Empty:
            with _lock:
                if _jobs.empty():
                    # Of those that wait, one fewer: jobs are counted for the threads that wait, not for this one.
                    _threads, _free = _threads - 1, _free - 1
                    break
            continue
        say = _settled(answer, read)
        # Before it is said: whoever hears it may have the next question, for which no further session is needed.
        with _lock:
            _free += 1
        say()
    connection.close()
