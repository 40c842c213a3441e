"""The README keeps up with the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from cagolab import config
from cagolab.roles import ROLES

REPOSITORY = Path(config.__file__).parent.parent
README = (REPOSITORY / "README.md").read_text()


@pytest.mark.parametrize("name", config.MEANINGS)
def test_readme_explains_every_variable(name: str) -> None:
    assert f"| `{name}` | " in README


@pytest.mark.parametrize("role", ROLES)
def test_readme_names_every_role(role: str) -> None:
    assert role in README
