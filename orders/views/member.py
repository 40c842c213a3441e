"""会員の選択 on 新規受注入力: search a member, take its name and points into the form, or let it go again."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_POST, require_safe

from cagolab.roles import EDIT
from orders import member_search
from orders.models import Customer, Order
from orders.views.create import screen_of_new
from orders.views.order_screen import lines_context

MEMBERS_SHOWN = 20
MAX_WORD_CHARACTERS = 100
_FROM_MEMBER = ("name", "kana", "email")
# Members have no address of their own: it is the one of their last order.
_FROM_LAST_ORDER = ("company", "phone", "postal_code", "prefecture", "address")


@require_safe
@permission_required(EDIT, raise_exception=True)
def members(request: HttpRequest) -> HttpResponse:
    """The dialog: a search over name, kana and mail address, and whom it finds."""
    word = request.GET.get("word", "").strip()[:MAX_WORD_CHARACTERS]
    found = member_search.matching(word, limit=MEMBERS_SHOWN + 1)
    context = {
        "members": found[:MEMBERS_SHOWN],
        "has_more": len(found) > MEMBERS_SHOWN,
        "shown": MEMBERS_SHOWN,
        "word": word,
    }
    template = "member_rows.html" if "word" in request.GET else "members.html"
    return render(request, f"orders/edit/{template}", context)


@require_POST
@permission_required(EDIT, raise_exception=True)
def choose(request: HttpRequest) -> HttpResponse:
    """The form with the member `member` taken into it, or without one when it is empty; nothing is saved."""
    screen = screen_of_new(_with_member(request.POST, request.POST.get("member", "")))
    screen.calculate()
    context: dict[str, Any] = {**lines_context(screen), "orderer_open": True}
    return render(request, "orders/edit/member_chosen.html", context)


def _with_member(data: QueryDict, typed: str) -> QueryDict:
    changed = data.copy()
    changed["customer"] = typed
    if not typed:
        changed["used_points"] = "0"
        return changed
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 19):
        raise Http404("member")
    member = get_object_or_404(Customer, pk=int(typed))
    for name in _FROM_MEMBER:
        changed[name] = getattr(member, name)
    last = (
        Order.objects.filter(customer=member).order_by("-ordered_at", "-id").only(*_FROM_LAST_ORDER).first()
    )
    if last is not None:
        for name in _FROM_LAST_ORDER:
            changed[name] = getattr(last, name)
    return changed
