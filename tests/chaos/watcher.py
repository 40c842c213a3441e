"""Somebody who looks over the operators' shoulders while the storm is on: at what can be seen only then."""

from __future__ import annotations

import requests
from django.db import Error as DatabaseError
from django.db import connection
from django.db.models import Count

from gateways.vocabulary import Action
from payments.models import LIVE_STATUSES, Operation, Payment
from tests.chaos.browser import Browser, inputs

_OPEN = Operation.objects.filter(state__in=Operation.OPEN_STATES).exclude(action=Action.INQUIRE)


class Watcher(Browser):
    """An operator who only reads; `watch` looks at one moment, over its thread's own connection."""

    def watch(self) -> None:
        """Invariants 1 and 5. A server that is away now is looked at the next time."""
        try:
            self._one_of_each()
            self._unknown_outcome_is_shown_and_accepts_nothing()
        except (DatabaseError, requests.RequestException):
            connection.close()

    def _one_of_each(self) -> None:
        twice = _OPEN.values("payment_id").annotate(count=Count("pk")).filter(count__gt=1).order_by()
        for row in twice:
            self.diary.trouble(1, f"payment {row['payment_id']} had {row['count']} open operations at once")
        live = Payment.objects.filter(status__in=sorted(LIVE_STATUSES)).values("order_id")
        for order in live.annotate(count=Count("pk")).filter(count__gt=1).order_by():
            self.diary.trouble(1, f"order {order['order_id']} had {order['count']} live payments at once")

    def _unknown_outcome_is_shown_and_accepts_nothing(self) -> None:
        unknown = list(_OPEN.filter(state=Operation.State.UNCONFIRMED).select_related("payment")[:20])
        if not unknown:
            return
        operation = self.dice.choice(unknown)
        payment = operation.payment
        pages = [
            self.get(f"/payments/orders/{payment.order_id}/panel/"),
            self.get(f"/orders/{payment.order_id}/"),
        ]
        dialogs = [self.get(f"/payments/{payment.pk}/{action}/") for action in ("capture", "cancel")]
        now = Operation.objects.get(pk=operation.pk)
        if (now.state, now.step) != (operation.state, operation.step):
            return  # it was settled while we looked
        for page in pages:
            if not ("確認中" in page.text and operation.actor_name in page.text):
                self.diary.trouble(5, f"{page.url} does not say 確認中 and who for operation {operation.pk}")
        for dialog in dialogs:
            if "shown" in inputs(dialog):
                self.diary.trouble(5, f"{dialog.url} could be confirmed while {operation.pk} was unknown")
        self.diary.note("unknown outcome looked at")
