"""`make chaos`: operators at work in a storm; then every invariant is checked against the providers' ledgers.

All decisions come from the seed; how processes interleave does not, so that a replay repeats the storm, not
every drop.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from cagolab.launcher.errors import Interrupted, LauncherError
from cagolab.launcher.processes import Supervisor
from tests.stack import Stack

OPERATORS = 5
ORDERS = 60
# Product seconds per second of storm: what waits 20 s to be asked again is asked within the storm. Far below
# what it takes for a call under way to look like a lost one.
HASTE = 8
STRIKES_PER_SECOND = 3
# The code with which the sandbox's Paygent says that there is no such payment, as a contract's documents tell it.
SETTINGS = {"GATEWAY_PAYGENT_NOT_FOUND_CODES": "2101"}


def say(text: str = "") -> None:
    """One line of the report, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """One storm; the exit code is 1 when something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=int, default=60, help="how long the storm lasts")
    parser.add_argument("--keep", type=Path, help="an existing folder that keeps logs and data")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if arguments.seed is None else arguments.seed
    say(f"chaos with seed {seed}, {arguments.seconds} s")
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, Supervisor() as supervisor:
        try:
            stack = Stack(supervisor, arguments.keep or Path(folder), settings=SETTINGS)
            stack.start_servers()
            return storm(stack, seed, arguments.seconds)
        except (LauncherError, Interrupted) as error:
            say(f"The run was stopped: {error or 'interrupted'}")
            return 1


def storm(stack: Stack, seed: int, seconds: int) -> int:
    """Fill the shop, let it storm, let it calm down, check."""
    from tests.chaos import calm, checks, evidence, shop  # models: only after Django was set up
    from tests.chaos.administrator import Administrator
    from tests.chaos.diary import Diary
    from tests.chaos.intruders import Intruder
    from tests.chaos.operators import Operator
    from tests.chaos.watcher import Watcher
    from tests.chaos.weather import Weather

    diary = Diary(secrets=evidence.SECRETS)
    dice = random.Random(f"shop-{seed}")
    names = shop.open_shop(stack.sandbox, dice, diary, orders=ORDERS, operators=OPERATORS)
    weather = Weather(stack, seed, diary)
    weather.start_programs()
    stack.sandbox.settings(latency_ms=30)
    orders = calm.orders_and_payments()
    office: dict[str, Any] = {"web_url": stack.web_url, "sandbox": stack.sandbox, "diary": diary}
    people = [Operator(name, seed=f"{name}-{seed}", orders=orders, **office) for name in names]
    watcher = Watcher(names[0], seed=f"watcher-{seed}", **office)
    intruders = [
        Intruder(name, seed=f"intruder-{name}-{seed}", **office) for name in (*shop.LESSER_ROLES, "")
    ]
    administrator = Administrator(shop.ADMINISTRATOR, seed=f"administrator-{seed}", **office)
    for person in (*people, watcher, administrator, *intruders):
        if person.name:
            person.log_in()
        else:
            person.get("/login/")

    payments = [payment for _order, payment in orders]
    acts: list[tuple[str, Callable[[], None]]] = [(person.name, person.act) for person in people]
    acts += [(f"intruder {one.name}", partial(_slowly, partial(one.act, payments))) for one in intruders]
    acts.append(("watcher", partial(_slowly, watcher.watch)))
    acts.append(("administrator", partial(_slowly, administrator.decide)))
    at_work, over = threading.Event(), threading.Event()
    busy = Counter[str]()
    at_work.set()

    def work(name: str, act: Callable[[], None]) -> None:
        while not over.is_set():
            at_work.wait()
            busy[name] = 1
            try:
                act()
            except Exception as error:  # noqa: BLE001 - a thread that ends silently would look like calm
                diary.trouble(0, f"{name}: {error!r}")
            busy[name] = 0

    threads = [threading.Thread(target=work, args=pair, daemon=True) for pair in acts]
    for thread in threads:
        thread.start()

    def pause() -> None:
        at_work.clear()
        while any(busy.values()):
            time.sleep(0.1)

    until = time.monotonic() + seconds
    leaps = [until - seconds * 2 / 3, until - seconds / 3]
    while (now := time.monotonic()) < until:
        calm.ring(stack)
        for _ in range(STRIKES_PER_SECOND):
            weather.strike()
        stack.sandbox.control("POST", "/_clock", json={"advance": HASTE})
        if leaps and now > leaps[0]:
            leaps.pop(0)
            pause()
            weather.leap()
            at_work.set()
        wait(stack, 1.0)
    over.set()
    at_work.set()
    for thread in threads:
        thread.join(timeout=120)

    say("calm: faults off, recovery until nothing is open")
    left_open = calm.settle(stack, administrator)
    calm.look_at_what_others_changed(people[0])
    violations = [*left_open, *checks.check(evidence.of_storm(stack, diary))]
    for violation in violations[:40]:
        say(f"VIOLATION {violation}")
    say(f"acts: {counted(diary.done)}")
    say(f"ended as: {counted(calm.operation_states())}; closed by a person: {calm.closed_by_a_person()}")
    faults = f"{sum(weather.faults.values())} ({counted(weather.faults)})"
    kills = f"{sum(weather.kills.values())} ({counted(weather.kills)})"
    if violations:
        say(f"replay with: make chaos SEED={seed} CHAOS_SECONDS={seconds}")
    say(
        f"runs {calm.runs()}, operations {sum(calm.operation_states().values())}, faults {faults}, kills {kills},"
        f" violations {len(violations)}"
    )
    return 1 if violations else 0


def _slowly(act: Callable[[], None]) -> None:
    """Two a second are enough: the web processes are for the operators."""
    act()
    time.sleep(0.5)


def wait(stack: Stack, seconds: float) -> None:
    """Wait, but not through Ctrl-C or the death of a program."""
    stack.supervisor.wait_until(lambda: False, seconds=seconds)


def counted(counter: Counter[str]) -> str:
    """ "3 capture, 2 cancel" """
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items()))


if __name__ == "__main__":
    sys.exit(main())
