"""The journal of an operation: every telegram is a Call row before it is sent (invariant 3)."""

from __future__ import annotations

from collections.abc import Mapping

from cagolab import clock
from payments.models import Call, Operation


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
        Call.objects.filter(pk=handle).update(
            summary=summary.replace("\0", "\N{REPLACEMENT CHARACTER}")[:200],
            response=response.replace("\0", "\N{REPLACEMENT CHARACTER}"),
            duration_ms=duration_ms,
        )

    def remember(self, **progress: str) -> None:
        """Persist what the rest of the step needs before going on."""
        self._operation.progress = {**self._operation.progress, **progress}
        Operation.objects.filter(pk=self._operation.pk).update(progress=self._operation.progress)
