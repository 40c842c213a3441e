"""Who asks for an operation, and from where (requirement X-6)."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User

from payments.models import Operation


@dataclass(frozen=True, kw_only=True)
class By:
    """Who asks, from where. `user` is None for customers and jobs."""

    name: str
    source: Operation.Source
    user: User | None = None
    ip: str | None = None
