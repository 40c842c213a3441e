"""How many callers the runs of one process may have at a time: each brings a thread and connections of its own.

Large runs are few at a time. Small ones, which are over in a moment, have places of their own, so that they begin at
once whatever else goes on; a large run that finds its places taken goes on with few callers meanwhile.
"""

from __future__ import annotations

import threading

# A run that needs no more callers than this is a small one.
SMALL = 4
MOST_LARGE = 4
MOST_SMALL = 8
# Of the small places large runs may take so many.
LENT_TO_LARGE = 4


class Places:
    """The places of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._large = 0
        self._small = 0

    def take(self, callers: int) -> int:
        """A place for a run that could use so many callers; how many it may have, 0 where no place is free."""
        with self._lock:
            if callers > SMALL and self._large < MOST_LARGE:
                self._large += 1
                return callers
            if self._small < (MOST_SMALL if callers <= SMALL else LENT_TO_LARGE):
                self._small += 1
                return min(callers, SMALL)
            return 0

    def give_back(self, granted: int) -> None:
        """Give back what `take` has granted."""
        with self._lock:
            if granted > SMALL:
                self._large -= 1
            else:
                self._small -= 1
