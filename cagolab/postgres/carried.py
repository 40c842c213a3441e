"""Questions that travel with another one: each message to PostgreSQL costs a web process a tenth of a millisecond,
whatever it asks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.db import connection

Rows = list[tuple[Any, ...]]


class Carried:
    """SELECTs without parameters, sent in one message with the first statement within the block.

    Where none was sent, or it failed, they are asked by themselves.
    """

    def __init__(self, *selects: str) -> None:
        self._selects = selects
        self._answers: list[Rows] | None = None
        self._block = ExitStack()

    def __enter__(self) -> Carried:
        self._block.enter_context(connection.execute_wrapper(self._carry))
        return self

    def __exit__(self, *_raised: object) -> None:
        self._block.close()

    def answers(self) -> list[Rows]:
        """The rows of each SELECT."""
        if self._answers is None:
            with connection.cursor() as cursor:
                cursor.execute(";".join(self._selects))
                self._answers = self._read(cursor)
        return self._answers

    def _carry(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if many or self._answers is not None:
            return execute(sql, params, many, context)
        result = execute(";".join([*self._selects, sql]), params, many, context)
        cursor = context["cursor"]
        answers = self._read(cursor)
        cursor.nextset()
        self._answers = answers
        return result

    def _read(self, cursor: Any) -> list[Rows]:
        answers = [cursor.fetchall()]
        for _ in self._selects[1:]:
            cursor.nextset()
            answers.append(cursor.fetchall())
        return answers
