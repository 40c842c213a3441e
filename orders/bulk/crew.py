"""A crew: one bell's work on a run whose rows go out to a provider.

The crew's own thread claims rows in batches and writes answers down in batches; callers do nothing but send. So a
row costs a fraction of a transaction, and no caller waits for the database. A process may die between any two
statements: a claimed row then has its operation, and a row that was sent has its telegram.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from django.db import Error as DatabaseError
from django.db import IntegrityError, connection, transaction

from cagolab import clock
from orders.bulk import rights, worklist
from orders.bulk.endings import BROKEN, STOPPED, task_of, write_down, write_down_many
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.places import Places
from orders.bulk.registry import Answered, Begun, EndedMeanwhile, Result, SendingKind

logger = logging.getLogger(__name__)

# Answers that come in within so many seconds of the first are written down together; less than AHEAD_SECONDS, so
# that callers have something to send meanwhile.
GATHER_SECONDS = 0.1
# Rows are claimed so many seconds before a caller is likely to be free for them.
AHEAD_SECONDS = 0.25
# A claimed row that no caller took up for so long goes back to the list: its decision is getting old, and recovery
# may take its operation for one of a dead process (after more than a minute).
PATIENCE_SECONDS = 10.0
# How often a crew without news looks for rows that have become due, and at the brake.
LOOK_SECONDS = 0.5
# At the end of its time a crew waits so long for calls under way; where one takes longer, the others go on.
DRAIN_SECONDS = 2.0

_CLOSING = "処理が中断されたため、送信していません。"
_LATE = "順番を待つ間に時間切れとなったため、送信していません。"

# The places of this process. A run that finds none waits for the next bell.
_places = Places()
# Set when this process shuts down: crews begin nothing new.
closing = threading.Event()


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A claimed row on its way to a caller. `claimed_at` is monotonic."""

    item: BulkItem
    begun: Begun
    claimed_at: float


@dataclass(frozen=True, kw_only=True)
class _End:
    """What came of a row: an answer, a result that is written down already but for the row, or None, where the
    database failed: then the lease brings the row back. `seconds`: how long its caller was busy."""

    item: BulkItem
    came: Answered | Result | None
    seconds: float


class Crew:
    """Up to `callers` rows of a run at the provider at the same time; for one `work`."""

    def __init__(self, run: BulkRun, kind: SendingKind, *, callers: int) -> None:
        self._run = run
        self._kind = kind
        self._callers = callers
        self._rows: SimpleQueue[_Row | None] = SimpleQueue()
        self._ends: SimpleQueue[_End] = SimpleQueue()
        # Rows that were handed to the callers and are not written down yet.
        self._in_hand = 0
        self._brake = threading.Event()
        self._brake_reason = ""
        self._seconds_per_row = AHEAD_SECONDS
        # So many rows are claimed one by one, after a batch was refused.
        self._one_by_one = 0
        self._has_more = True
        self._looked_at = float("-inf")
        self._done = 0

    def work(self, *, seconds: float) -> int:
        """Work until no row is due or the time is over; how many rows were dealt with."""
        self._callers = _places.take(self._callers)
        if self._callers == 0:
            return 0
        try:
            return self._work(seconds)
        finally:
            _places.give_back(self._callers)

    def _work(self, seconds: float) -> int:
        threads = [
            threading.Thread(target=self._call, name=f"caller-{number}", daemon=True)
            for number in range(self._callers)
        ]
        for thread in threads:
            thread.start()
        try:
            self._go_on(seconds)
        except BaseException:
            self._pull_brake(_CLOSING)
            raise
        finally:
            for _ in threads:
                self._rows.put(None)
            for thread in threads:
                thread.join()
            self._write_down(self._arrived(wait_seconds=0))
        return self._done

    def _go_on(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            if now > until + DRAIN_SECONDS:  # a slow call must not keep the other callers idle
                until = now + seconds
            may_begin = now < until and not closing.is_set()
            if may_begin:
                self._claim()
            elif closing.is_set():
                self._pull_brake(_CLOSING)
            if self._in_hand == 0:
                if may_begin and self._has_more:  # a whole batch that did not have to be sent
                    continue
                return
            self._look()
            self._write_down(self._arrived(wait_seconds=LOOK_SECONDS))

    # Claiming

    def _claim(self) -> None:
        wanted = self._wanted()
        if wanted == 0 or not (self._has_more or self._in_hand == 0):
            return
        if self._one_by_one == 0 and not self._claim_batch(wanted):
            self._one_by_one = wanted
        while self._one_by_one and self._has_more and self._wanted():
            self._claim_alone()
        while self._in_hand == 0 and (item := worklist.claim_abandoned(self._run.pk)):
            self._take_over(item)

    def _wanted(self) -> int:
        """How many rows to claim now: those that callers will be free for in a moment. 0 where it is too few."""
        ahead = self._callers * min(1.0, AHEAD_SECONDS / self._seconds_per_row)
        wanted = self._callers + int(ahead) - self._in_hand
        return wanted if wanted * 2 >= self._callers or self._in_hand < self._callers else 0

    def _claim_batch(self, most: int) -> bool:
        """Claim up to `most` rows in one transaction. False where that was refused and nothing was written."""
        now = clock.now()
        try:
            with transaction.atomic():
                items = {item.key(): item for item in worklist.claim_some(self._run.pk, most)}
                self._has_more = bool(items)
                if not items:
                    return True
                begun = self._kind.begin([task_of(self._run, item) for item in items.values()], now)
                ended = [(items[key], result) for key, result in begun.items() if isinstance(result, Result)]
                write_down_many(ended, now)
        except IntegrityError:
            logger.info("a batch of run %s is claimed row by row", self._run.pk)
            return False
        except DatabaseError:
            raise
        except Exception:
            logger.exception("a batch of run %s broke; it is claimed row by row", self._run.pk)
            return False
        self._done += len(items)
        self._hand_over([(items[key], one) for key, one in begun.items() if isinstance(one, Begun)])
        return True

    def _claim_alone(self) -> None:
        self._one_by_one -= 1
        item = worklist.claim(self._run.pk)
        if item is None:
            self._has_more = False
        else:
            self._begin_alone(item)

    def _take_over(self, item: BulkItem) -> None:
        """A dead worker's row: written down when something was begun, begun when nothing was."""
        begun = self._kind.known_results([item.key()]).get(item.key())
        if begun is not None:
            write_down(item, begun, clock.now())
            self._done += 1
        elif worklist.is_stopped(self._run.pk):
            worklist.record(item, state=BulkItem.State.STOPPED, message=STOPPED, now=clock.now())
            self._done += 1
        else:
            self._begin_alone(item)

    def _begin_alone(self, item: BulkItem) -> None:
        self._done += 1
        try:
            with transaction.atomic():
                begun = self._kind.begin([task_of(self._run, item)], clock.now())[item.key()]
                if isinstance(begun, Result):
                    write_down(item, begun, clock.now())
        except DatabaseError:
            raise
        except Exception:
            logger.exception("bulk item %s of run %s broke", item.pk, self._run.pk)
            write_down(item, self._known(item), clock.now())
            return
        if isinstance(begun, Begun):
            self._hand_over([(item, begun)])

    def _hand_over(self, begun: list[tuple[BulkItem, Begun]]) -> None:
        claimed_at = time.monotonic()
        self._in_hand += len(begun)
        for item, one in begun:
            self._rows.put(_Row(item=item, begun=one, claimed_at=claimed_at))

    def _look(self) -> None:
        """Now and then: is the brake pulled, have rows become due?"""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._has_more = True
            if worklist.is_stopped(self._run.pk):
                self._pull_brake(STOPPED)
            elif rights.withdraw(self._run, self._kind.permission, clock.now()):
                self._pull_brake(rights.WITHDRAWN)

    def _pull_brake(self, reason: str) -> None:
        """What no caller has taken up yet is not sent any more."""
        self._brake_reason = reason
        self._brake.set()

    # Calling, in the callers' threads

    def _call(self) -> None:
        try:
            while (row := self._rows.get()) is not None:
                began = time.monotonic()
                came = self._sent(row)
                self._ends.put(_End(item=row.item, came=came, seconds=time.monotonic() - began))
        finally:
            connection.close()

    def _sent(self, row: _Row) -> Answered | Result | None:
        try:
            if self._brake.is_set():
                return self._kind.give_back(row.begun, self._brake_reason)
            if time.monotonic() - row.claimed_at > PATIENCE_SECONDS:
                return self._kind.give_back(row.begun, _LATE)
            return self._kind.send(row.begun)
        except DatabaseError as error:
            logger.warning("bulk item %s lost the database: %s", row.item.pk, type(error).__name__)
            connection.close()
            return None
        except Exception:
            logger.exception("bulk item %s of run %s broke", row.item.pk, self._run.pk)
        try:
            return self._known(row.item)
        except DatabaseError:
            connection.close()
            return None

    def _known(self, item: BulkItem) -> Result:
        """What is known of a row whose execution broke: it may be sent."""
        return self._kind.known_results([item.key()]).get(item.key()) or BROKEN

    # Writing down

    def _arrived(self, *, wait_seconds: float) -> list[_End]:
        """The ends that are in, or come in within a moment of the first."""
        ends: list[_End] = []
        try:
            ends.append(self._ends.get(timeout=wait_seconds) if wait_seconds else self._ends.get_nowait())
            if wait_seconds:
                time.sleep(GATHER_SECONDS)
            while True:
                ends.append(self._ends.get_nowait())
        except Empty:
            return ends

    def _write_down(self, ends: list[_End]) -> None:
        self._in_hand -= len(ends)
        for end in ends:
            self._seconds_per_row += (end.seconds - self._seconds_per_row) / 8
        if not self._settle([end for end in ends if end.came is not None]):
            for end in ends:
                if end.came is not None:
                    self._settle_alone(end)

    def _settle(self, ends: list[_End]) -> bool:
        """All in one transaction. False where that was refused and nothing was written."""
        if not ends:
            return True
        items = {end.item.key(): end.item for end in ends}
        answered = [end.came for end in ends if isinstance(end.came, Answered)]
        ended = [(end.item, end.came) for end in ends if isinstance(end.came, Result)]
        try:
            with transaction.atomic():
                now = clock.now()
                if answered:
                    settled = self._kind.settle(answered, now)
                    ended += [(items[key], result) for key, result in settled.items()]
                write_down_many(ended, now)
        except (DatabaseError, EndedMeanwhile) as error:
            logger.warning("answers of run %s are settled one by one: %s", self._run.pk, type(error).__name__)
            return False
        except Exception:
            logger.exception("answers of run %s are settled one by one", self._run.pk)
            return False
        return True

    def _settle_alone(self, end: _End) -> None:
        """One row, whatever is wrong with its neighbours. Left to recovery and the lease where it fails too."""
        try:
            result = self._kind.settle_alone(end.came) if isinstance(end.came, Answered) else end.came
            if result is not None and not write_down(end.item, result, clock.now()):
                logger.warning("bulk item %s was taken over by another worker", end.item.pk)
        except Exception:
            logger.exception("the answer for bulk item %s could not be written down", end.item.pk)
