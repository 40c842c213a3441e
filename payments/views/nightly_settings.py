"""夜間処理の設定 (PG-6), for administrators."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from cagolab import clock
from cagolab.audit.entries import Kind, record
from cagolab.roles import ADMINISTER
from payments.models import NightlyJob
from payments.nightly import rules, schedule
from payments.nightly.forms import NightlyForm
from payments.nightly.settings_row import job, nightly_settings


@permission_required(ADMINISTER, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def nightly_settings_edit(request: HttpRequest) -> HttpResponse:
    """When each job runs, after how many days an order counts as given up, and who is told."""
    now = clock.now()
    jobs = {kind: job(kind) for kind in NightlyJob.Kind}
    form = NightlyForm(request.POST or None, settings=nightly_settings(), jobs=jobs)
    if request.method == "POST" and form.is_valid():
        row = nightly_settings()
        row.pending_days = form.cleaned_data["pending_days"]
        row.cart_days = form.cleaned_data["cart_days"]
        row.mail_to = form.cleaned_data["mail_to"]
        row.save()
        for kind in NightlyJob.Kind:
            is_on, hour = form.schedule_of(kind)
            schedule.switch(kind, is_on=is_on, hour=hour, now=now)
        if form.changed_data:
            changes = [f"{form.fields[name].label}：{form.cleaned_data[name]}" for name in form.changed_data]
            record(Kind.SETTING, request, target="夜間処理", detail="\n".join(changes))
        messages.success(request, "夜間処理の設定を登録しました。")
        return redirect("payments:nightly_settings")
    upcoming = [
        (each.get_kind_display(), rules.next_run(each.hour, each.last_run_on, now) if each.is_on else None)
        for each in jobs.values()
    ]
    context = {"form": form, "upcoming": upcoming}
    return render(request, "payments/nightly/settings.html", context, status=422 if form.errors else 200)
