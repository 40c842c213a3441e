"""Stopping exports and deleting files: by whoever may, and by themselves when their time is over.

The row stays and tells of it.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from orders.exports import files, worklist
from orders.exports.models import Export

logger = logging.getLogger(__name__)

# Rows without a file are history for so long; 操作履歴 keeps what was asked for.
ROWS_KEPT_FOR = timedelta(days=90)
_ENDED = (Export.State.FINISHED, Export.State.FAILED, Export.State.STOPPED)


def stop(export: Export, now: datetime) -> bool:
    """Stop an export that is not done yet. Its file goes: here, or when the worker that holds it has seen it."""
    if not worklist.stop(export, now):
        return False
    export.refresh_from_db()
    if export.state == Export.State.STOPPED:
        try:
            files.remove(export)
        except OSError:
            logger.exception("the file of export %s cannot be deleted", export.pk)
    return True


def remove(export: Export) -> None:
    """Delete the file, then say so: a file that nobody tells of would stay for ever. Raises OSError."""
    files.remove(export)
    Export.objects.filter(pk=export.pk, state__in=_ENDED).update(state=Export.State.REMOVED, expires_at=None)


def remove_expired(now: datetime) -> int:
    """Delete files whose time is over, and rows that are only history. Returns the number of files."""
    removed = 0
    for export in Export.objects.filter(state=Export.State.FINISHED, expires_at__lte=now):
        try:
            remove(export)
        except OSError:
            logger.exception("the file of export %s cannot be deleted; it is tried again", export.pk)
        else:
            removed += 1
    gone = (Export.State.REMOVED, Export.State.FAILED, Export.State.STOPPED)
    Export.objects.filter(state__in=gone, created_at__lt=now - ROWS_KEPT_FOR).delete()
    return removed
