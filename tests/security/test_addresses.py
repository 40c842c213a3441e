"""The client's address behind a known number of proxies, and nobody else's word for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cagolab.models import AuditEntry
from cagolab.security.addresses import client_address, network_of


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "expected"),
    [
        ("203.0.113.5", "", 0, "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", 0, "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", 2, "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1", 2, "10.0.0.1"),
        ("10.0.0.1", "not an address", 1, "10.0.0.1"),
        ("10.0.0.1", "'; DROP TABLE", 1, "10.0.0.1"),
        ("::ffff:203.0.113.5", "", 0, "203.0.113.5"),
        ("", "", 1, ""),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(
    peer: str, forwarded: str, proxies: int, expected: str
) -> None:
    assert client_address(peer, forwarded, trusted_proxies=proxies) == expected


def test_an_ipv6_customer_is_one_client_whatever_address_of_his_he_takes() -> None:
    assert network_of("2001:db8:1:2::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")


@pytest.mark.django_db
@pytest.mark.parametrize(("proxies", "written"), [(0, "127.0.0.1"), (1, "198.51.100.7")])
def test_the_history_names_the_clients_address(settings: Any, proxies: int, written: str) -> None:
    settings.TRUSTED_PROXIES = proxies
    form = {"username": "nobody", "password": "wrong"}
    Client().post("/login/", form, HTTP_X_FORWARDED_FOR="6.6.6.6, 198.51.100.7")
    assert AuditEntry.objects.get().ip_address == written


@pytest.mark.django_db
def test_a_request_of_many_megabytes_is_refused_before_anything_is_read() -> None:
    answer = Client().generic("POST", "/login/", b"x", CONTENT_LENGTH=str(50 * 1024 * 1024))
    assert answer.status_code == 413
