"""要判断: operations that no question to the provider has ended well, so that a person has to look (X-5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from gateways.outcomes import ReasonKind
from gateways.vocabulary import Action
from payments.models import Operation

# By then the provider has been asked many times; what still has no answer needs somebody who calls.
UNCONFIRMED_FOR: Final = timedelta(hours=1)
# Totals are exact up to here.
TOTAL_LIMIT: Final = 10_000


def contradicted() -> QuerySet[Operation]:
    """Where the provider showed neither what was asked for nor what was before, and no person has acted on the
    payment since: also 決済状態確認・反映 counts as having looked."""
    acted = Operation.objects.filter(payment=OuterRef("payment"), pk__gt=OuterRef("pk"), actor__isnull=False)
    return Operation.objects.filter(~Exists(acted), state=Operation.State.CONTRADICTED).order_by(
        "-started_at"
    )


def long_unconfirmed(now: datetime) -> QuerySet[Operation]:
    """Outcomes that have stayed unknown for more than an hour of asking, and those that asking will never tell."""
    return (
        Operation.objects.filter(
            Q(started_at__lt=now - UNCONFIRMED_FOR) | Q(reason_kind=ReasonKind.NOT_TOLD.value),
            state=Operation.State.UNCONFIRMED,
            ask_at__isnull=False,
        )
        .exclude(action=Action.INQUIRE)
        .order_by("-started_at")
    )


def total(now: datetime) -> tuple[int, bool]:
    """How many wait for a person, and whether there are more than it says."""
    found = sum(
        operations.order_by()[: TOTAL_LIMIT + 1].count()
        for operations in (contradicted(), long_unconfirmed(now))
    )
    return min(found, TOTAL_LIMIT), found > TOTAL_LIMIT
