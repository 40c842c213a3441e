"""The kinds of payment besides cards: their names in calls, their numbers, how much they may be for."""

from __future__ import annotations

from dataclasses import dataclass

JOBS = frozenset({"AUTH", "CAPTURE"})


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind. `name` is the end of EntryTran<name>; `digits` and `highest` are the limits of an amount in yen.

    `opened` is the status once the customer stands on the payer's own pages, empty where there are none: which
    word that is for which kind is [inferred] from the words' meanings. `expires` says whether a customer who never
    came back makes it EXPIRED: the protocol's list of statuses says so of docomo and SoftBank only.
    """

    name: str
    pay_type: str
    digits: int
    highest: int
    opened: str = ""
    expires: bool = True

    @property
    def jobs(self) -> frozenset[str]:
        """What EntryTran<name> may ask for; nothing where paying is one step."""
        return JOBS if self.opened else frozenset()


CVS = Kind(name="Cvs", pay_type="3", digits=6, highest=299_999)
PAY_EASY = Kind(name="PayEasy", pay_type="4", digits=6, highest=999_999)
AU = Kind(name="Au", pay_type="8", digits=7, highest=9_999_999, opened="AUTHPROCESS", expires=False)
DOCOMO = Kind(name="Docomo", pay_type="9", digits=6, highest=999_999, opened="AUTHPROCESS")
SOFTBANK = Kind(name="Sb", pay_type="11", digits=6, highest=100_000, opened="AUTHPROCESS")
RAKUTEN = Kind(
    name="RakutenId", pay_type="18", digits=8, highest=99_999_999, opened="PAYSTART", expires=False
)

AT_A_COUNTER = (CVS, PAY_EASY)
BY_CONSENT = (AU, DOCOMO, SOFTBANK, RAKUTEN)
BY_PAY_TYPE = {kind.pay_type: kind for kind in (*AT_A_COUNTER, *BY_CONSENT)}
