"""A process that dies at a chosen point: nothing after it happens, not even what handles errors."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest
from django.db import connection, connections


class ProcessDied(BaseException):
    """Stands for kill -9 at this very line."""


def die(*_args: Any, **_named: Any) -> NoReturn:
    """Put in the place of what the process does not live to do."""
    raise ProcessDied


@contextmanager
def dying(owner: Any, name: str, *, when: str) -> Iterator[None]:
    """What runs within it dies "before" or "after" the call of `owner.name`, and must come that far."""
    original = getattr(owner, name)

    def dies(*arguments: Any, **named: Any) -> NoReturn:
        if when == "after":
            original(*arguments, **named)
        raise ProcessDied

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, dies)
        with pytest.raises(ProcessDied):
            yield


def child_doing(act: Callable[[], object]) -> int:
    """Fork a process that does this and ends; its pid.

    It begins without connections. While a browser is driven, Django keeps one for the thread and one for the
    driver's event loop: the child, in which no loop runs, would find the thread's, and with it the session in which
    its parent lives on, so that PostgreSQL would not notice its death.
    """
    connection.close()
    if (child := os.fork()) == 0:
        try:
            for inherited in connections.all(initialized_only=True):
                inherited.connection = None
            act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child
