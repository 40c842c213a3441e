"""Log in to a running demo as every role, over HTTP: python .ci/login.py http://127.0.0.1:8000"""

from __future__ import annotations

import sys

import requests

sys.path.insert(0, ".")
from cagolab.demo.accounts import DEMO_USERS


def main(address: str) -> None:
    """Exit with a message when a login or the page behind it fails."""
    for username, password, role in DEMO_USERS:
        with requests.Session() as session:
            session.get(f"{address}/login/", timeout=30).raise_for_status()
            form = {
                "username": username,
                "password": password,
                "csrfmiddlewaretoken": session.cookies["csrftoken"],
            }
            answer = session.post(f"{address}/login/", data=form, timeout=30)
            if not answer.ok or answer.url.rstrip("/").endswith("/login"):
                sys.exit(f"{username} ({role}) cannot log in: {answer.status_code} {answer.url}")
            session.get(f"{address}/orders/", timeout=30).raise_for_status()
            print(f"{username} ({role}) is in")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
