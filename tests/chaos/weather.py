"""The storm: faults at the provider, killed processes, an emptied broker, a restarted database, leaps of the clock.

Everything runs in the main thread, since a child dies with the thread that started it.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import datetime, timedelta

import psycopg

from gateways.sandbox.faults import KINDS, NEEDS_MS
from tests.stack import Stack

WORKERS = ("worker1", "worker2")
THREADS = 16
CALLS = ("AlterTran", "AlterTran", "ChangeTran", "ExecTran", "EntryTran", "SearchTrade", "*")
CODES = ("E92000001", "E92000002", "M01004014", "E01050004", "E11010003")
# The longest that the sandbox may still be executing something that nobody waits for any more.
LONGEST_FAULT_MS = 3000


class Weather:
    """Strikes once per call of `strike`; `faults` and `kills` say what struck."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.stack = stack
        self.dice = random.Random(f"weather-{seed}")
        self.faults: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()

    def start_programs(self) -> None:
        """Workers and web."""
        for name in WORKERS:
            self.stack.start_worker(name, threads=THREADS)
        self.stack.start_web()

    def strike(self) -> None:
        """One thing happens."""
        strikes = (
            (self.fault, 60),
            (self.kill_worker, 4),
            (self.kill_web, 1),
            (self.empty_broker, 4),
            (self.restart_database, 1),
            (self.let_leases_run_out, 3),
            (self.change_behind_our_back, 2),
        )
        self.dice.choices([strike for strike, _ in strikes], [weight for _, weight in strikes])[0]()

    def fault(self) -> None:
        """One to three calls go wrong in one way."""
        kind = self.dice.choice(sorted(KINDS))
        ms = self.dice.choice((300, 1000, LONGEST_FAULT_MS)) if kind in NEEDS_MS else 0
        before = KINDS[kind] and self.dice.random() < 0.4
        wish = {"call": self.dice.choice(CALLS), "ms": ms, "times": self.dice.randint(1, 3)}
        if kind == "error_code":
            wish |= {"code": self.dice.choice(CODES)}
            before = self.dice.random() < 0.8
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

    def let_leases_run_out(self) -> None:
        """As if three minutes had passed for claimed rows: workers take over what others still hold."""
        self.run_sql(
            "UPDATE orders_bulkitem SET claimed_at = claimed_at - interval '181 s' WHERE state = 'claimed'"
        )

    def change_behind_our_back(self) -> None:
        """Somebody cancels a payment on the provider's own screen."""
        trades = self.stack.sandbox.trades()
        if trades:
            order = str(self.dice.choice(trades)["order_id"])
            for action in ("VOID", "RETURN"):
                try:
                    self.stack.sandbox.admin(order, action=action)
                except OSError:  # refused by the provider's rules
                    continue
                self.faults["changed behind our back"] += 1
                return

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
        self.stack.sandbox.set_clock(midnight - timedelta(seconds=2))
        self.faults["leap of the clock"] += 1
        for name in WORKERS:
            self.stack.start_worker(name, threads=THREADS)

    def run_sql(self, statement: str) -> None:
        """One statement, when the database is there."""
        try:
            with psycopg.connect(self.stack.environment["DATABASE_URL"], autocommit=True) as connection:
                connection.execute(statement)
        except psycopg.OperationalError:
            pass
