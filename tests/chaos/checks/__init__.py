"""What must hold after any storm: one check or more for each of the invariants, by its number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from tests.chaos.checks import money, office, orders, secrets, work
from tests.chaos.evidence import Evidence

Check = Callable[[Evidence], Iterable[str]]

CHECKS: Mapping[int, tuple[Check, ...]] = MappingProxyType(
    {
        1: (money.one_open_operation_and_one_live_payment,),
        2: (money.executed_as_often_as_asked, office.moved_by_whom_it_was_asked),
        3: (money.telegrams_were_written_down,),
        4: (money.our_picture_is_the_providers,),
        5: (money.nothing_was_concluded_from_one_early_answer,),
        6: (orders.status_follows_success_only,),
        7: (orders.stock_and_points_are_what_the_ledgers_say,),
        8: (work.runs_add_up,),
        9: (office.the_cancel_that_was_shown_is_the_one_that_was_sent,),
        10: (orders.tax_buckets_add_up,),
        11: (secrets.nothing_secret_is_written_anywhere,),
        12: (office.nobody_without_the_permission_moved_money,),
        13: (secrets.logs_tell_of_no_fault,),
        14: (work.notifications_only_led_to_questions,),
    }
)


def check(evidence: Evidence) -> Iterator[str]:
    """Every invariant, and what was seen while the storm was on; the sentences of those that do not hold."""
    for number, sentence in evidence.diary.troubles:
        yield f"{number}: {sentence}"
    for number, checks in CHECKS.items():
        for each in checks:
            yield from (f"{number}: {sentence}" for sentence in each(evidence))
