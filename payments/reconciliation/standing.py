"""How the runs of each account stand, for the head of 差異一覧."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from payments.models import GatewayAccount, NightlyJob, ReconciliationCase, ReconciliationRun
from payments.reconciliation import run as runs

State = ReconciliationCase.State


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One account: its last run and how far it is. `done` of `run.planned` are over while it runs."""

    account: GatewayAccount
    run: ReconciliationRun | None
    done: int
    different: int
    unanswered: int
    can_be_asked: bool

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self.run is not None and self.run.state == ReconciliationRun.State.RUNNING

    @property
    def is_freezing(self) -> bool:
        """Whether the run under way has not yet listed its payments."""
        return self.run is not None and self.run.planned is None


def of_accounts() -> list[Standing]:
    """Every account with its newest run; three queries."""
    accounts = list(GatewayAccount.objects.order_by("pk"))
    newest = ReconciliationRun.objects.order_by("account_id", "-started_at").distinct("account_id")
    run_of = {run.account_id: run for run in newest}
    running = [run.pk for run in run_of.values() if run.state == ReconciliationRun.State.RUNNING]
    counted: dict[object, dict[str, int]] = {}
    if running:
        states = ReconciliationCase.objects.filter(run__in=running).values_list("run", "state")
        for run_id, state, count in states.annotate(Count("pk")).order_by():
            counted.setdefault(run_id, {})[state] = count
    return [_standing(account, run_of.get(account.pk), counted) for account in accounts]


def nightly_hour() -> int | None:
    """The hour of the nightly comparison in Tokyo; None while it is switched off."""
    job = NightlyJob.objects.filter(kind=NightlyJob.Kind.RECONCILIATION, is_on=True).first()
    return job.hour if job else None


def _standing(
    account: GatewayAccount, run: ReconciliationRun | None, counted: dict[object, dict[str, int]]
) -> Standing:
    cases = counted.get(run.pk, {}) if run else {}
    is_running = run is not None and run.state == ReconciliationRun.State.RUNNING
    waiting = sum(cases.get(state.value, 0) for state in ReconciliationCase.OPEN_STATES)
    different = cases.get(State.DIFFERENT.value, 0) if is_running else (run.different if run else 0)
    unanswered = cases.get(State.UNANSWERED.value, 0) if is_running else (run.unanswered if run else 0)
    return Standing(
        account=account,
        run=run,
        done=sum(cases.values()) - waiting,
        different=different,
        unanswered=unanswered,
        can_be_asked=runs.can_ask(account),
    )
