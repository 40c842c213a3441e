"""The storm may do only what a provider may do."""

from __future__ import annotations

import pytest

from gateways.gmopg import errors as gmopg
from gateways.outcomes import Unknown
from gateways.sbps import errors as sbps
from tests.chaos.weather import UNCLEAR_CODES


@pytest.mark.parametrize("code", UNCLEAR_CODES["gmopg"])
def test_what_gmopg_says_of_an_executed_call_leaves_it_open(code: str) -> None:
    assert isinstance(gmopg.judge([code]), Unknown)


@pytest.mark.parametrize("kind", UNCLEAR_CODES["sbps"])
def test_what_sbps_says_of_an_executed_call_leaves_it_open(kind: str) -> None:
    assert isinstance(sbps.judge(f"101{kind}999"), Unknown)
