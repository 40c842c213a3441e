"""A process that dies at a chosen point: nothing after it happens, not even what handles errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest


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
