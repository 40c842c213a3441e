"""`manage.py sandbox --port N`: the payment providers' side of the wire, for demo and training."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from gateways.sandbox.server import serve


class Command(BaseCommand):
    """Needs no database of ours: what the sandbox keeps is in SANDBOX_DATA_DIR."""

    help = "Serve GMO-PG as the shop sees it, with a clock, faults and a ledger of its own (no real money)."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 takes a free one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM or SIGINT; exit code 1 when the port is in use."""
        default = Path(settings.BASE_DIR) / "var" / "sandbox"
        data_dir = Path(os.environ.get("SANDBOX_DATA_DIR") or default)
        sys.exit(serve(host=options["host"], port=options["port"], data_dir=data_dir))
