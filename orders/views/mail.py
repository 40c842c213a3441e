"""Mail to the customer of one order: write, look at it, send it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from cagolab import clock
from cagolab.roles import EDIT
from orders.forms.mail import MailForm
from orders.mails import TEMPLATES, Draft, draft, queue_mail
from orders.models import Order, SentMail
from orders.views.back import back_of
from orders.views.order_screen import load_order
from orders.views.requester import author_of


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(EDIT, raise_exception=True)
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """GET drafts a mail from a template (or from a mail that failed); POST shows it, then sends it."""
    order = load_order(pk)
    if request.method != "POST":
        return _show(request, order, MailForm(initial={**_initial(request, order), "key": uuid.uuid4()}))
    form = MailForm(request.POST)
    step = request.POST.get("step")
    if not form.is_valid() or step == "write":
        return _show(request, order, form, status=200 if form.is_valid() else 422)
    if step != "send":
        return _show(request, order, form, is_preview=True)
    sent = queue_mail(
        order=order,
        words=Draft(form.cleaned_data["to"], form.cleaned_data["subject"], form.cleaned_data["body"]),
        key=form.cleaned_data["key"],
        author=author_of(request, "メール送信"),
        now=clock.now(),
    )
    messages.success(
        request,
        f"注文番号 {order.number} のメール「{sent.subject}」の送信を受け付けました。"
        "結果は「メール送信履歴」に表示されます。",
    )
    return redirect("orders:edit", pk=order.pk)


def _initial(request: HttpRequest, order: Order) -> dict[str, Any]:
    copied = request.GET.get("copy", "")
    if copied.isdecimal() and len(copied) < 19:
        old = SentMail.objects.filter(order=order, pk=int(copied)).first()
        if old is not None:
            return {"to": old.to, "subject": old.subject, "body": old.body}
    code = request.GET.get("template")
    asked = (one for one in TEMPLATES if one.code == code)
    # What an operator most probably wants to write about an order in this status.
    likely = (one for one in TEMPLATES if not code and one.tells == order.status)
    template = next(asked, None) or next(likely, TEMPLATES[0])
    words = draft(template, order)
    return {"to": words.to, "subject": words.subject, "body": words.body, "template": template.code}


def _show(
    request: HttpRequest, order: Order, form: MailForm, *, is_preview: bool = False, status: int = 200
) -> HttpResponse:
    context = {
        "order": order,
        "form": form,
        "is_preview": is_preview,
        "templates": TEMPLATES,
        "template_code": form.initial.get("template", ""),
        "back": back_of(request),
    }
    return render(request, "orders/mail.html", context, status=status)
