#!/usr/bin/env python
"""Django's command line for the back office."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cagolab.settings")
    if sys.argv[1:2] == ["sandbox"]:
        # It plays the providers and keeps its own data: nothing of a shop's configuration is needed.
        os.environ.setdefault("ENVIRONMENT", "test")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from cagolab.config import MEANINGS

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured:
        if os.environ.get("DATABASE_URL"):
            raise
        # Demo and tests may come here without: not every command asks the database.
        sys.exit(f"DATABASE_URL is not set: {MEANINGS['DATABASE_URL']}.")


if __name__ == "__main__":
    main()
