"""What the demo shop's orders live through, as it is planned before anything is sent."""

from __future__ import annotations

from random import Random

from cagolab.demo.stories import STORIES, STORIES_ELSEWHERE, Event, plan
from gateways.vocabulary import MethodKind

PLANNED = plan(Random(1), 60)


def test_nothing_lies_in_the_future_and_each_life_begins_with_the_order() -> None:
    assert [event.seconds for event in PLANNED] == sorted(event.seconds for event in PLANNED)
    assert PLANNED[-1].seconds < 0
    begun: set[int] = set()
    for planned in PLANNED:
        assert (planned.event is Event.ORDER) == (planned.order_index not in begun)
        begun.add(planned.order_index)


def test_every_kind_of_payment_has_its_stories_whatever_the_dice_say() -> None:
    kinds = {planned.order_index: planned.kind for planned in PLANNED}
    assert {kind.value for kind in MethodKind} | {""} == set(kinds.values())
    elsewhere = sum(len(story.kinds) * story.times for story in STORIES_ELSEWHERE)
    assert len(kinds) == 60 + elsewhere
    assert len(STORIES) <= 60


def test_no_card_is_asked_for_elsewhere_and_nothing_elsewhere_is_authorized() -> None:
    by_card = {event for planned in PLANNED if planned.kind == "card" for event in [planned.event]}
    others = {event for planned in PLANNED if planned.kind != "card" for event in [planned.event]}
    assert not by_card & {Event.REQUEST, Event.PAYS, Event.OPENS, Event.FAILS}
    assert not others & {Event.PAY, Event.CAPTURE, Event.CANCEL}
