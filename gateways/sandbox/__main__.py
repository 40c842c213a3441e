"""`python -m gateways.sandbox --port N`: the sandbox without Django, as tests start it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from gateways.sandbox.server import serve


def main() -> int:
    """Serve until a signal; the exit code is 1 when the port is in use."""
    parser = argparse.ArgumentParser(
        prog="sandbox", description="Serve the payment providers' side of the wire."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument(
        "--data-dir", type=Path, default=Path(os.environ.get("SANDBOX_DATA_DIR") or "var/sandbox")
    )
    arguments = parser.parse_args()
    return serve(host=arguments.host, port=arguments.port, data_dir=arguments.data_dir)


if __name__ == "__main__":
    sys.exit(main())
