"""The address that providers post to. Open to everybody: what comes is stored and believed in nothing."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from cagolab import clock
from gateways.gmopg.notification import NOT_RECEIVED, RECEIVED, NotANotification, parse
from payments.models import GatewayAccount, Notification
from payments.notifications import limits, reception

# A notification of GMO-PG has less than 2 KB.
MAX_BYTES = 16 * 1024


@csrf_exempt
@login_not_required
@require_POST
def gmopg(request: HttpRequest, code: str) -> HttpResponse:
    """結果通知プログラム of one account: `0` once it is stored, whatever it says (protocol section 5)."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
        return _answer(NOT_RECEIVED, status=413)
    account = GatewayAccount.objects.filter(code=code, provider="gmopg").first()
    if account is None or code not in settings.GATEWAY_ACCOUNTS:
        raise Http404(code)
    if not limits.admits(code):
        return _answer(NOT_RECEIVED, status=429)
    try:
        notice = parse(request.body)
    except NotANotification:
        return _answer(RECEIVED)  # nothing that could be stored or asked about
    if notice.is_connection_test:
        return _answer(RECEIVED)
    look = reception.look_at(account, notice)
    if look.state != Notification.State.WAITING and not limits.admits_strange(code):
        return _answer(NOT_RECEIVED, status=429)
    reception.take_in(account, notice, look, clock.now())
    return _answer(RECEIVED)


def _answer(text: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=us-ascii")
