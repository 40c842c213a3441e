"""How the runs of each account stand, for the head of 差異一覧."""

from __future__ import annotations

from dataclasses import dataclass

from payments.models import GatewayAccount, NightlyJob, ReconciliationRun
from payments.reconciliation import run as runs


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One account with its last run."""

    account: GatewayAccount
    run: ReconciliationRun | None
    can_be_asked: bool

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self.run is not None and self.run.state == ReconciliationRun.State.RUNNING

    @property
    def is_being_planned(self) -> bool:
        """Whether the run under way has not yet listed its payments."""
        return self.run is not None and self.run.planned is None

    @property
    def per_second(self) -> int:
        """At most so many payments are asked about per second."""
        return runs.calls_per_second(self.account)

    @property
    def time_left(self) -> str:
        """How long the run under way will still take at that pace, in words."""
        assert self.run is not None
        return _in_words((self.run.planned or 0) - self.run.done, self.per_second)

    @property
    def goes_beyond_its_time(self) -> bool:
        """Whether the run will end before it has asked about everything; the next one begins with the rest."""
        assert self.run is not None
        return (self.run.planned or 0) > self.per_second * runs.LONGEST_HOURS * 3600


def of_accounts() -> list[Standing]:
    """Every account with its newest run; two queries, whatever the runs are about."""
    accounts = list(GatewayAccount.objects.order_by("pk"))
    newest = ReconciliationRun.objects.order_by("account_id", "-started_at").distinct("account_id")
    run_of = {run.account_id: run for run in newest}
    return [
        Standing(account=account, run=run_of.get(account.pk), can_be_asked=runs.can_ask(account))
        for account in accounts
    ]


def nightly_hour() -> int | None:
    """The hour of the nightly comparison in Tokyo; None while it is switched off."""
    job = NightlyJob.objects.filter(kind=NightlyJob.Kind.RECONCILIATION, is_on=True).first()
    return job.hour if job else None


def _in_words(payments: int, per_second: int) -> str:
    minutes = -(-payments // (per_second * 60))
    if minutes <= 1:
        return "1分ほど"
    hours, rest = divmod(minutes, 60)
    if hours == 0:
        return f"約{rest}分"
    return f"約{hours}時間{f'{rest}分' if rest and hours < 3 else ''}"
