"""What stops a start."""

from __future__ import annotations


class LauncherError(Exception):
    """Nothing can be started; `str()` is one readable line with what to change."""


class Interrupted(Exception):
    """Somebody asked to stop (Ctrl-C, TERM or a closed terminal)."""
