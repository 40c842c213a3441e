"""Numbers that change how the sandbox behaves while it runs."""

from __future__ import annotations

from collections.abc import Mapping

from gateways.sandbox.storage import Storage

DEFAULTS = {"latency_ms": 0}


class BadSetting(ValueError):
    """No such setting, or not a number from 0."""


class Settings:
    """Whole numbers by name; changes survive a restart. Rooms declare their own with `declare`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._defaults: dict[str, int] = {}
        self._values: dict[str, int] = {}
        self.declare(DEFAULTS)

    def declare(self, defaults: Mapping[str, int]) -> None:
        """Make settings known, with the values they have until somebody changes them."""
        self._defaults.update(defaults)
        for name, value in defaults.items():
            kept = self._storage.recall(f"settings.{name}")
            self._values[name] = value if kept is None else int(kept)

    def __getitem__(self, name: str) -> int:
        return self._values[name]

    def change(self, wishes: Mapping[str, object]) -> None:
        """Set all or none. Raises BadSetting."""
        accepted: dict[str, int] = {}
        for name, value in wishes.items():
            if name not in self._defaults:
                raise BadSetting(f"no setting {name}; there are {', '.join(sorted(self._defaults))}")
            if not isinstance(value, int) or value < 0:
                raise BadSetting(f"{name} must be a whole number from 0")
            accepted[name] = int(value)
        self._values.update(accepted)
        for name, number in accepted.items():
            self._storage.remember(f"settings.{name}", str(number))

    def reset(self) -> None:
        """Back to the defaults."""
        self._values = dict(self._defaults)

    def state(self) -> dict[str, int]:
        """All settings."""
        return dict(self._values)
