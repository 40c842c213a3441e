"""What web and worker processes do before their first piece of work."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from cagolab import warm_up


@pytest.fixture
def collector() -> Iterator[None]:
    """The garbage collector as the other tests expect it, afterwards."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_every_template_compiles_before_the_first_page_is_asked_for() -> None:
    warm_up.load_pages()


def test_collections_leave_out_what_was_loaded(collector: None) -> None:
    warm_up.keep_what_is_loaded()

    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] > 10_000
