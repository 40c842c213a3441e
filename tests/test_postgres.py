"""The sessions with PostgreSQL: what is read is what Django reads, and one that has ended is noticed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.postgresql import base
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from orders.models import PaymentMethod

# Years of one digit and of five are written otherwise; no shop has them.
FIRST, LAST = datetime(2, 1, 1), datetime(9998, 12, 31)  # noqa: DTZ001 - the zone is drawn too
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-11, minutes=-30))])


class Moments(TestCase):
    @given(st.datetimes(min_value=FIRST, max_value=LAST, timezones=ZONES))
    def test_a_moment_is_read_as_it_was_written_in_utc(self, moment: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::timestamptz, NULL::timestamptz", [moment])
            read, nothing = cursor.fetchone()
        assert read == moment
        assert read.utcoffset() == timedelta()
        assert nothing is None


@pytest.mark.django_db
def test_moments_are_read_by_the_loader_in_c() -> None:
    with connection.cursor() as cursor:
        loader = cursor.adapters.get_loader(psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT)
    assert loader.__module__.startswith("psycopg_binary")


@pytest.mark.django_db(transaction=True)
def test_a_living_session_is_not_asked_whether_it_lives() -> None:
    connection.ensure_connection()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.connection, "cursor", None)
        assert connection.is_usable()


@pytest.mark.django_db(transaction=True)
def test_a_session_that_the_server_has_ended_is_noticed_and_followed_by_a_new_one() -> None:
    connection.ensure_connection()
    ended = connection.connection.info.backend_pid
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
    assert not connection.is_usable()
    # As at the beginning of a request.
    connection.health_check_enabled, connection.health_check_done = True, False  # type: ignore[attr-defined]
    assert PaymentMethod.objects.count() >= 0
    assert connection.connection.info.backend_pid != ended


@pytest.mark.django_db(transaction=True)
def test_after_an_error_the_server_is_asked() -> None:
    connection.ensure_connection()
    asked = []

    def ask(wrapper: base.DatabaseWrapper) -> bool:
        asked.append(wrapper)
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "errors_occurred", True)
        patch.setattr(base.DatabaseWrapper, "is_usable", ask)
        assert connection.is_usable()
    assert asked == [connection]


def test_health_is_looked_after() -> None:
    assert settings.DATABASES["default"]["CONN_HEALTH_CHECKS"]
