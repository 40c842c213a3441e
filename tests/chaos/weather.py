"""The storm: faults at the providers, killed processes, an emptied broker, a restarted database, leaps of the clock,
and notifications that come twice, in the wrong order or from somebody else.

Everything runs in the main thread, since a child dies with the thread that started it.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import datetime, timedelta

import psycopg
import requests

from gateways.sandbox.faults import KINDS, NEEDS_MS
from tests.chaos.diary import Diary
from tests.stack import Stack

WORKERS = ("worker1", "worker2")
THREADS = 16
# The longest that the sandbox may still be executing something that nobody waits for any more.
LONGEST_FAULT_MS = 3000

# Per provider: the calls that faults are aimed at, codes of a call that was not executed, and codes that may also
# come with one that was. A provider that says a definite "no" and executes all the same cannot be caught by anybody.
CALLS = {
    "gmopg": ("AlterTran", "AlterTran", "ChangeTran", "ExecTran", "EntryTran", "SearchTrade", "*"),
    "paygent": ("020", "020", "021", "022", "023", "094", "*"),
    "sbps": (
        "ST01-00131-101",
        "ST02-00101-101",
        "ST02-00201-101",
        "ST02-00303-101",
        "MG01-00101-101",
        "*",
    ),
}
CODES = {
    "gmopg": ("E92000001", "E92000002", "M01004014", "E01050004", "E11010003"),
    "paygent": ("E0001", "2201", "2202", "1G12", "P001"),
    "sbps": ("21", "64", "W0", "92", "37", "52", "40"),
}
UNCLEAR_CODES = {
    "gmopg": ("M01004014", "42C010000", "E91099999", "E90010001"),
    "paygent": ("E0001", "E9999"),
    "sbps": ("21", "64", "90", "W0"),
}
PROVIDERS = tuple(CALLS)
SHARES = (3, 3, 2)


class Weather:
    """Strikes once per call of `strike`; `faults` and `kills` say what struck."""

    def __init__(self, stack: Stack, seed: int, diary: Diary) -> None:
        self.stack = stack
        self.dice = random.Random(f"weather-{seed}")
        self.diary = diary
        self.faults: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()

    def start_programs(self) -> None:
        """Workers, web, and the provider that tells it of every change."""
        for name in WORKERS:
            self.stack.start_worker(name, threads=THREADS)
        self.stack.start_web()
        self.tell_of_changes()

    def tell_of_changes(self) -> None:
        """GMO-PG's 結果通知 go out, twice and newest first."""
        self.stack.sandbox.control(
            "POST",
            "/_notifications",
            json={
                "target": f"{self.stack.web_url}/notify/gmopg/gmo/",
                "copies": 2,
                "newest_first": True,
                "retries": 3,
            },
        )

    def strike(self) -> None:
        """One thing happens."""
        strikes = (
            (self.fault, 60),
            (self.kill_worker, 4),
            (self.kill_web, 1),
            (self.empty_broker, 4),
            (self.restart_database, 1),
            (self.let_providers_go_away, 1),
            (self.let_leases_run_out, 3),
            (self.change_behind_our_back, 3),
            (self.forge_a_notification, 4),
            (self.hold_notifications_back, 2),
        )
        self.dice.choices([strike for strike, _ in strikes], [weight for _, weight in strikes])[0]()

    def fault(self) -> None:
        """One to three calls of one provider go wrong in one way."""
        provider = self.dice.choices(PROVIDERS, SHARES)[0]
        kind = self.dice.choice(sorted(KINDS))
        ms = self.dice.choice((300, 1000, LONGEST_FAULT_MS)) if kind in NEEDS_MS else 0
        before = KINDS[kind] and self.dice.random() < 0.4
        call = f"{provider}.{self.dice.choice(CALLS[provider])}"
        wish = {"call": call, "ms": ms, "times": self.dice.randint(1, 3)}
        if kind == "error_code":
            before = self.dice.random() < 0.8
            wish |= {"code": self.dice.choice((CODES if before else UNCLEAR_CODES)[provider])}
        if kind == "reset_before":
            before = True
        self.stack.sandbox.control("POST", "/_faults", json={"kind": kind, "before": before, **wish})
        self.faults[kind] += 1

    def kill_worker(self) -> None:
        """SIGKILL, and a new one in its place."""
        name = self.dice.choice(WORKERS)
        self.stack.kill(name)
        self.stack.start_worker(name, threads=THREADS)
        self.kills["worker"] += 1

    def kill_web(self) -> None:
        """SIGKILL to all web processes, and new ones."""
        self.stack.kill("web")
        self.stack.start_web(wait=False)
        self.kills["web"] += 1

    def empty_broker(self) -> None:
        """FLUSHALL: bells, places in the throttle, everything."""
        self.stack.redis.flushall()
        self.kills["broker emptied"] += 1

    def restart_database(self) -> None:
        """Orderly, or as after a crash."""
        self.stack.restart_postgres(crash=self.dice.random() < 0.3)
        self.kills["database"] += 1

    def let_providers_go_away(self) -> None:
        """All at once, in the middle of what they do; connections are refused until they are back."""
        self.stack.kill("sandbox")
        time.sleep(0.5)
        self.stack.start_sandbox()
        self.tell_of_changes()
        self.kills["provider"] += 1

    def let_leases_run_out(self) -> None:
        """As if minutes had passed for claimed rows: workers take over what others still hold."""
        for table, seconds in LEASES.items():
            self.run_sql(
                f"UPDATE {table} SET claimed_at = claimed_at - interval '{seconds} s' WHERE state = 'claimed'"
            )

    def change_behind_our_back(self) -> None:
        """Somebody cancels a payment on a provider's own screen."""
        trades = self.stack.sandbox.trades()
        if not trades:
            return
        trade = self.dice.choice(trades)
        for action in ("VOID", "RETURN"):
            try:
                self.stack.sandbox.admin(
                    str(trade["order_id"]), provider=str(trade["provider"]), action=action
                )
            except requests.RequestException:  # refused by the provider's rules
                continue
            self.faults["changed behind our back"] += 1
            return

    def forge_a_notification(self) -> None:
        """Somebody else tells us of money; each lie has a mark by which it is found again."""
        trades = [trade for trade in self.stack.sandbox.trades() if trade["provider"] == "gmopg"]
        if not trades:
            return
        mark = f"F{len(self.diary.forged):06d}"
        lie = self.dice.choice(("shop", "access", "order"))
        fields = {
            "ShopID": "tshop00000001",
            "AccessID": "0" * 32,
            "OrderID": str(self.dice.choice(trades)["order_id"]),
            "Status": self.dice.choice(("SALES", "VOID", "AUTH", "CAPTURE")),
            "JobCd": "SALES",
            "Amount": "1",
            "Tax": "0",
            "PayType": "0",
            "TranID": mark,
        }
        if lie == "shop":
            fields["ShopID"] = "tshop99999999"
        if lie == "order":
            fields["OrderID"] = f"nobody-{mark}"
        self.diary.forged[mark] = "no_order" if lie == "order" else "suspicious"
        self.stack.sandbox.control("POST", "/_notifications", json={"forge": fields})
        self.faults["forged notification"] += 1

    def hold_notifications_back(self) -> None:
        """They stop coming, and then come late and all at once, the newest first."""
        paused = not self.stack.sandbox.control("GET", "/_notifications")["paused"]
        self.stack.sandbox.control("POST", "/_notifications", json={"paused": paused})
        self.faults["notifications held back"] += int(paused)

    def leap(self) -> None:
        """To a second before midnight, or before the end of the month. Nobody may be calling meanwhile:

        a call that outlives the waiting times is no storm but an impossible one. The caller has stopped the
        operators; the workers are killed, and what the provider still executes is waited for.
        """
        for name in WORKERS:
            self.stack.kill(name)
            self.kills["worker"] += 1
        time.sleep(LONGEST_FAULT_MS / 1000 + 1)
        now = datetime.fromisoformat(self.stack.sandbox.control("GET", "/_clock")["now"])
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if self.dice.random() < 0.5:
            while midnight.day != 1:
                midnight += timedelta(days=1)
            self.faults["month end"] += 1
        else:
            self.faults["midnight"] += 1
        self.stack.sandbox.set_clock(midnight - timedelta(seconds=2))
        for name in WORKERS:
            self.stack.start_worker(name, threads=THREADS)

    def run_sql(self, statement: str) -> None:
        """One statement, when the database is there."""
        try:
            with psycopg.connect(self.stack.environment["DATABASE_URL"], autocommit=True) as connection:
                connection.execute(statement)
        except psycopg.OperationalError:
            pass


# The work lists with their leases in seconds, and one second more.
LEASES = {
    "orders_bulkitem": 181,
    "payments_reconciliationcase": 181,
    "payments_notification": 181,
    "payments_stalecase": 401,
}
