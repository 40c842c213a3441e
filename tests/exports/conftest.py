"""A folder of its own for every test's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def export_folder(settings: Any, tmp_path: Path) -> Path:
    """EXPORT_FOLDER, empty."""
    settings.EXPORT_FOLDER = tmp_path
    return tmp_path
