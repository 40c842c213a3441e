"""Who clicks, from where: as it is written on every operation (X-6)."""

from __future__ import annotations

from django.http import HttpRequest

from cagolab.people import name_of
from payments.actors import By
from payments.models import Operation


def by(request: HttpRequest) -> By:
    """The logged-in operator as the author of an operation from the order's screen."""
    user = request.user
    assert user.is_authenticated
    return By(
        name=name_of(user),
        source=Operation.Source.ORDER_EDIT,
        user=user,
        ip=request.META.get("REMOTE_ADDR") or None,
    )
