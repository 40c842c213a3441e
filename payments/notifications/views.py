"""The addresses that providers post to. Open to everybody: what comes is stored and believed in nothing."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from cagolab import clock
from gateways.notices import NotANotice, NoticeDesk
from payments import accounts
from payments.models import GatewayAccount, Notification
from payments.notifications import limits, reception

# No provider's notification has more than 2 KB.
MAX_BYTES = 16 * 1024


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, provider: str, code: str) -> HttpResponse:
    """結果通知 of one account: "received" in the provider's word once it is stored, whatever it says."""
    account = GatewayAccount.objects.filter(code=code, provider=provider).first()
    desk = accounts.notice_desk(code) if account is not None else None
    if account is None or desk is None:
        raise Http404(code)
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
        return _answer(desk.not_received, status=413)
    if not limits.admits(code):
        return _answer(desk.not_received, status=429)
    return _take_in(request.body, account, desk)


def _take_in(body: bytes, account: GatewayAccount, desk: NoticeDesk) -> HttpResponse:
    try:
        notice = desk.read(body)
    except NotANotice:
        return _answer(desk.received)  # nothing that could be stored or asked about
    if notice.is_connection_test:
        return _answer(desk.received)
    look = reception.look_at(account, notice)
    if look.state != Notification.State.WAITING and not limits.admits_strange(account.code):
        return _answer(desk.not_received, status=429)
    reception.take_in(account, notice, look, clock.now())
    return _answer(desk.received)


def _answer(text: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=us-ascii")
