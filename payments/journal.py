"""The journal of an operation: every telegram is a Call row before it is sent (invariant 3)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from cagolab import clock
from payments.models import Call, Operation

# The operation's row is locked against being closed meanwhile, and looked at again after the wait for the lock.
_WRITE_WHILE_OPEN = """
    INSERT INTO payments_call (operation_id, step, name, request, response, summary, sent_at)
    SELECT id, %s, %s, %s, '', '', %s FROM payments_operation
    WHERE id = %s AND step = %s AND state IN ('started', 'unconfirmed') FOR KEY SHARE
    RETURNING id
"""


# What the answer adds to a telegram's row.
ANSWER_FIELDS = ("summary", "response", "duration_ms")


class OperationClosed(Exception):
    """The operation was closed before its telegram left: recovery took the process for dead. Nothing was sent."""


class OperationJournal:
    """Writes an adapter's telegrams under one operation and step. Implements gateways.interface.Journal.

    Each method commits by itself: no transaction may be open while a provider is called.
    """

    def __init__(self, operation: Operation) -> None:
        self._operation = operation

    @property
    def progress(self) -> Mapping[str, str]:
        """What an earlier try of this step remembered."""
        progress: dict[str, str] = self._operation.progress
        return progress

    def sending(self, *, call: str, request: str) -> int:
        """Write the telegram down; the number identifies it for `answered`."""
        row = Call.objects.create(
            operation=self._operation,
            step=self._operation.step,
            name=call,
            request=request,
            sent_at=clock.now(),
        )
        return row.pk

    def answered(self, handle: int, *, summary: str, response: str, duration_ms: int) -> None:
        """Complete the telegram with what came back; it may be anything, and PostgreSQL keeps no NUL in a text."""
        answer = completed(handle, summary=summary, response=response, duration_ms=duration_ms)
        answer.save(update_fields=ANSWER_FIELDS)

    def remember(self, **progress: str) -> None:
        """Persist what the rest of the step needs before going on."""
        self._operation.progress = {**self._operation.progress, **progress}
        Operation.objects.filter(pk=self._operation.pk).update(progress=self._operation.progress)


class StepJournal(OperationJournal):
    """The journal of a step that moves money: its telegrams are written down only while the operation is open."""

    def sending(self, *, call: str, request: str) -> int:
        """Write the telegram down. Raises OperationClosed where somebody has ended the operation."""
        step = self._operation.step
        with connection.cursor() as cursor:
            cursor.execute(
                _WRITE_WHILE_OPEN, [step, call[:40], request, clock.now(), self._operation.pk, step]
            )
            row = cursor.fetchone()
        if row is None:
            raise OperationClosed(f"operation {self._operation.pk}")
        return int(row[0])


class HeldJournal(StepJournal):
    """Keeps the answer of the last telegram in `answers`, for whoever settles many operations at once."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation)
        self.answers: list[Call] = []

    def sending(self, *, call: str, request: str) -> int:
        """As above; what came before is written down first."""
        self.write()
        return super().sending(call=call, request=request)

    def answered(self, handle: int, *, summary: str, response: str, duration_ms: int) -> None:
        """Keep the answer."""
        self.answers.append(completed(handle, summary=summary, response=response, duration_ms=duration_ms))

    def write(self) -> None:
        """Write down what is kept."""
        for answer in self.answers:
            answer.save(update_fields=ANSWER_FIELDS)
        self.answers.clear()


def completed(handle: int, *, summary: str, response: str, duration_ms: int) -> Call:
    """The telegram with its answer, to be written by these three columns; PostgreSQL keeps no NUL in a text."""
    return Call(
        pk=handle,
        summary=summary.replace("\0", "\N{REPLACEMENT CHARACTER}")[:200],
        response=response.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        duration_ms=duration_ms,
    )
