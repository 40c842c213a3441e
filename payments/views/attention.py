"""要判断の決済操作: what a person has to look into, the newest first."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cagolab import clock
from cagolab.roles import ADMINISTER, MOVE_MONEY, VIEW
from payments import attention, labels, undecided

# More are counted only: who has that many works from the top.
SHOWN = 100


@permission_required(VIEW, raise_exception=True)
@require_safe
def attention_list(request: HttpRequest) -> HttpResponse:
    """Nothing is asked or executed here; each row leads to its order."""
    now = clock.now()
    found = [
        operation
        for operations in (attention.long_unconfirmed(now), attention.contradicted())
        for operation in operations.select_related("payment__order", "payment__account")[:SHOWN]
    ]
    rows = [
        (
            operation,
            undecided.still_waits(operation),
            labels.status_label(operation.payment.account.provider, operation.payment.status),
        )
        for operation in sorted(found, key=lambda operation: operation.started_at, reverse=True)[:SHOWN]
    ]
    total, is_capped = attention.total(now)
    may_decide = request.user.has_perms((MOVE_MONEY, ADMINISTER))
    context = {"rows": rows, "total": total, "is_capped": is_capped, "may_decide": may_decide}
    return render(request, "payments/attention.html", context)
