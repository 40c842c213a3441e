"""One client, one request after another, on a connection that stays open: the time until the last byte."""

from __future__ import annotations

import html
import http.client
import os
import re
import statistics
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.bench.lists.servers import PASSWORD, Site


class WrongPage(Exception):
    """Something else than the page was answered."""


# As long as the first pages of a process are slower than the next.
WARM_UP_SECONDS = 3.0

# Where a page says how its total is asked for, when it comes without one.
_TOTAL = re.compile(r'hx-get="(/orders/total/[^"]*)"')


@dataclass
class Timing:
    """Milliseconds of the requests of one case.

    `counting` is the request for the total that a page makes by itself when it shows its rows before they are
    counted; 0 where the total came with the page.
    """

    milliseconds: list[float] = field(default_factory=list)
    counting: list[float] = field(default_factory=list)
    # Processor time of the web server and of PostgreSQL for one page and its total, on average: what is left of
    # the time where nobody else uses the machine.
    processor: float = 0.0
    load: float = 0.0

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p95(self) -> float:
        """The smallest value that at least 95 of 100 requests do not exceed."""
        return _p95(self.milliseconds)

    @property
    def with_total(self) -> list[float]:
        """Until rows and total are there, one after the other."""
        return [page + total for page, total in zip(self.milliseconds, self.counting, strict=True)]

    @property
    def median_with_total(self) -> float:
        return statistics.median(self.with_total)

    @property
    def p95_with_total(self) -> float:
        return _p95(self.with_total)


def _p95(milliseconds: Sequence[float]) -> float:
    ordered = sorted(milliseconds)
    return ordered[-(-len(ordered) * 95 // 100) - 1]


def _processor_ms(parents: Collection[int]) -> float:
    """Processor time that some processes and their children have used so far."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(path.parent.name) in parents:
            ticks += sum(map(int, fields[11:15]))  # its own, and that of children that have ended
        elif int(fields[1]) in parents:
            ticks += sum(map(int, fields[11:13]))
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


class Client:
    """Logged in once, as a person is. `servers`: the processes whose children serve the pages."""

    def __init__(self, site: Site, servers: Collection[int]) -> None:
        self._servers = frozenset(servers)
        self._host = urlsplit(site.url).netloc
        with requests.Session() as session:
            page = session.get(site.url + site.login, timeout=60)
            token = session.cookies["csrftoken"]
            fields = {"csrfmiddlewaretoken": token, "username": site.user, "password": PASSWORD}
            answer = session.post(
                page.url, data=fields, headers={"Referer": page.url}, timeout=60, allow_redirects=False
            )
            if answer.status_code != 302:
                raise WrongPage(f"{site.url}{site.login} did not let us in: {answer.status_code}")
            self._cookie = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
        self._connection = http.client.HTTPConnection(self._host, timeout=600)

    def get(self, path: str) -> tuple[float, str]:
        """Milliseconds and text of one page. Raises WrongPage when it is not one."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers={"Cookie": self._cookie})
        answer = self._connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != http.client.OK:
            raise WrongPage(f"{path} answered {answer.status}")
        return took, body.decode()

    def warm_up(self, path: str) -> None:
        """Ask for a page again and again for some seconds: a process that has just begun is slower, whosever it is."""
        until = time.monotonic() + WARM_UP_SECONDS
        while time.monotonic() < until:
            self.get(path)

    def measure(self, paths: Sequence[str], *, warm: int, rounds: int) -> Timing:
        """The first `warm` paths once unmeasured, then `rounds` requests, all paths in turn."""
        timing = Timing(load=os.getloadavg()[0])
        for path in paths[:warm]:
            self._page(path)
        before = _processor_ms(self._servers)
        for number in range(rounds):
            page, counting = self._page(paths[number % len(paths)])
            timing.milliseconds.append(page)
            timing.counting.append(counting)
        timing.processor = (_processor_ms(self._servers) - before) / rounds
        return timing

    def _page(self, path: str) -> tuple[float, float]:
        """Milliseconds of a page, and of the request for its total."""
        took, page = self.get(path)
        asked = _TOTAL.search(page)
        return took, self.get(html.unescape(asked[1]))[0] if asked else 0.0
