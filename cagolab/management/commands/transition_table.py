"""Print the table of what may be done to a payment in which status, for docs/transitions.md."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from payments.transition_table import as_markdown


class Command(BaseCommand):
    """`manage.py transition_table > docs/transitions.md` after a change of the table."""

    help = "Print the transition table as Markdown."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        self.stdout.write(as_markdown(), ending="")
