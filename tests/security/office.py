"""An office to break into: one user per role, an order with a held payment, a bulk run over money, an export, a lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.utils import timezone

from cagolab.models import LoginThrottle
from gateways.vocabulary import PaymentStatus
from orders.bulk.models import BulkItem, BulkRun
from orders.exports.models import Export
from payments.models import Payment
from tests.screens.payment_shop import NOW, make_payment

PASSWORD = "correct-horse-battery"


def make_user(name: str, role: str) -> User:
    """A user of one role of cagolab.roles, "" for none."""
    user = User.objects.create_user(name, password=PASSWORD, last_name="田中", first_name=name)
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def client_of(user: User | None) -> Client:
    """A browser in which the user is logged in; nobody for None. Errors come as answers."""
    client = Client(raise_request_exception=False)
    if user is not None:
        client.force_login(user)
    return client


@dataclass(frozen=True)
class Office:
    """What addresses need as arguments."""

    payment: Payment
    run: BulkRun
    other: User
    lock: LoginThrottle
    export: Export

    def arguments(self, name: str, wanted: frozenset[str]) -> dict[str, Any]:
        """The arguments of the address with this name."""
        pk = {
            "user_edit": self.other.pk,
            "user_password": self.other.pk,
            "user_reset_factor": self.other.pk,
            "user_active": self.other.pk,
            "lock_release": self.lock.pk,
            "payments:account": self.payment.account_id,
            "payments:log": self.payment.pk,
            "payments:action": self.payment.pk,
            # None of these is in this office.
            "payments:difference": 999_999,
            "payments:stale_orders_adopt": 999_999,
            "payments:stale_orders_release": 999_999,
            "payments:notification_handled": 999_999,
            "payments:undecided": 999_999,
        }.get(name, self.payment.order_id)
        known = {
            "pk": self.run.pk if name == "payments:stale_run" else pk,
            "order_id": self.payment.order_id,
            "run_id": self.run.pk,
            "export_id": self.export.pk,
            "status": "AUTH",
            "provider": "paygent",
            "action": "capture",
            "code": "gmo",
        }
        return {argument: known[argument] for argument in wanted}


def make_office(author: User | None = None) -> Office:
    """`author` has made the preview of the bulk run, and the export."""
    payment = make_payment(PaymentStatus.AUTH)
    run = BulkRun.objects.create(
        kind="capture",
        ticked=1,
        taken=1,
        groups=[{"label": "売上", "count": 1, "amount": 3200, "customer_sees": "", "confirmation": ""}],
        created_by=author,
        created_by_name="田中",
        created_at=NOW,
    )
    BulkItem.objects.create(run=run, order=payment.order, payment_id=payment.pk, amount=3200, shown="x")
    other = make_user("other", "閲覧")
    now = timezone.now()
    lock = LoginThrottle.objects.create(
        scope="login",
        key="0" * 64,
        user=other,
        address="203.0.113.9",
        tries=10,
        last_at=now,
        locked_until=now + timedelta(minutes=20),
    )
    export = Export.objects.create(
        kind="orders", encoding="cp932", condition="", total=1, created_by=author, created_at=NOW
    )
    return Office(payment, run, other, lock, export)


def contents() -> dict[str, tuple[int, str]]:
    """How many rows each table has and a digest of them, besides the sessions."""
    with connection.cursor() as cursor:
        tables = sorted(set(connection.introspection.table_names(cursor)) - {"django_session"})
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}', count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
                f' FROM "{table}" AS t'
                for table in tables
            )
        )
        return {table: (count, digest) for table, count, digest in cursor.fetchall()}
