"""The kind that these tests execute with, registered while a test runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orders.bulk.registry import registry
from tests.bulk.shop import OutsideKind


@pytest.fixture
def outside() -> Iterator[OutsideKind]:
    """The pretended provider's kind, under the code `outside`."""
    kind = OutsideKind()
    registry.register(kind)
    yield kind
    del registry.kinds[kind.code]
