"""The files in EXPORT_FOLDER: one per export and try, so that a worker that was given up cannot spoil the next.

The folder is shared by web and workers. A file holds customers' names and addresses: nobody but the server's own
user may read it, and it goes as soon as it is not wanted any more.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from orders.exports.models import Export

_BLOCK_BYTES = 64 * 1024


def path_of(export: Export) -> Path:
    """Where the present try of an export is written to."""
    return Path(settings.EXPORT_FOLDER) / f"{export.pk}-{export.tries}"


def open_to_go_on(export: Export) -> BinaryIO | None:
    """The file, ready for what comes after byte `size`; None when what was written before is not there any more.

    After a dead worker's try what it is known to have written is copied first. Raises OSError.
    """
    path = path_of(export)
    before = path.with_name(f"{export.pk}-{export.tries - 1}")
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    if export.size and not os.fstat(file.fileno()).st_size and before.exists():
        with before.open("rb") as written:
            shutil.copyfileobj(written, file)
        file.flush()
    if os.fstat(file.fileno()).st_size < export.size:
        file.close()
        return None
    file.truncate(export.size)
    file.seek(export.size)
    before.unlink(missing_ok=True)
    return file


def make_durable(file: BinaryIO) -> None:
    """Let the disk have all of it before anybody is told that it is there."""
    file.flush()
    os.fsync(file.fileno())


def is_there(export: Export) -> bool:
    """Whether the whole file can be fetched."""
    try:
        return path_of(export).stat().st_size >= export.size
    except OSError:
        return False


def blocks(export: Export, *, first: int, last: int) -> Iterator[bytes]:
    """The bytes from `first` up to `last` (excluded), in blocks. The file is opened here and now."""
    file = path_of(export).open("rb")
    file.seek(first)
    return _read(file, last - first)


def _read(file: BinaryIO, left: int) -> Iterator[bytes]:
    with file:
        while left > 0 and (block := file.read(min(left, _BLOCK_BYTES))):
            left -= len(block)
            yield block


def remove(export: Export) -> None:
    """Delete the files of every try. Raises OSError where one cannot be deleted."""
    for path in Path(settings.EXPORT_FOLDER).glob(f"{export.pk}-*"):
        path.unlink(missing_ok=True)
