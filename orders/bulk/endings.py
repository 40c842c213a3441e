"""How a row that was executed is written down, and what it is executed from."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from orders.bulk import worklist
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import Ending, Result, Task

logger = logging.getLogger(__name__)

# How long to wait before a row that was not sent is tried again, in seconds; after the last it has failed.
RETRY_AFTER_SECONDS = (5, 20, 60)

STATES = {
    Ending.SUCCEEDED: BulkItem.State.SUCCEEDED,
    Ending.FAILED: BulkItem.State.FAILED,
    Ending.UNKNOWN: BulkItem.State.UNKNOWN,
    Ending.RECHECK: BulkItem.State.RECHECK,
    Ending.NOT_SENT: BulkItem.State.FAILED,
}
BROKEN = Result(
    ending=Ending.FAILED,
    message="システムエラーのため実行できませんでした。受注の状態を確認してから、もう一度実行してください。",
)
STOPPED = "中止されたため、実行していません。"


def task_of(run: BulkRun, item: BulkItem) -> Task:
    """What a kind is given to execute a claimed row."""
    return Task(
        order_id=item.order_id,
        payment_id=item.payment_id,
        shown=item.shown,
        key=item.key(),
        parameters=run.parameters,
        follow=run.follow,
        actor=run.created_by,
        actor_name=run.created_by_name,
        ip_address=run.ip_address,
    )


def write_down(item: BulkItem, result: Result, now: datetime) -> bool:
    """Write how a claimed row ended. False when the claim was lost to another worker."""
    if _is_tried_again(item, result):
        wait = RETRY_AFTER_SECONDS[item.tries]
        return worklist.put_back(item, wait_seconds=wait, message=result.message, now=now)
    return worklist.record(item, state=STATES[result.ending], message=result.message, now=now)


def write_down_many(ended: Sequence[tuple[BulkItem, Result]], now: datetime) -> None:
    """As `write_down` for many rows; a claim that was lost is logged. Needs a transaction."""
    again = [(item, result) for item, result in ended if _is_tried_again(item, result)]
    over = [(item, result) for item, result in ended if not _is_tried_again(item, result)]
    written = worklist.record_many(
        [(item, STATES[result.ending], result.message) for item, result in over], now=now
    )
    lost = [item.pk for item, _ in over if item.pk not in written]
    lost += [item.pk for item, result in again if not write_down(item, result, now)]
    if lost:
        logger.warning("bulk items %s were taken over by another worker", lost)


def _is_tried_again(item: BulkItem, result: Result) -> bool:
    return result.ending is Ending.NOT_SENT and item.tries < len(RETRY_AFTER_SECONDS)
