"""GMO-PG's numbers of the kinds of payment (PayType), in inquiries and in notifications."""

from __future__ import annotations

from collections.abc import Mapping

from gateways.vocabulary import MethodKind

PAY_TYPES: Mapping[MethodKind, str] = {
    MethodKind.CARD: "0",
    MethodKind.CVS: "3",
    MethodKind.PAYEASY_ATM: "4",
    MethodKind.PAYEASY_NET: "4",
    MethodKind.AU: "8",
    MethodKind.DOCOMO: "9",
    MethodKind.SOFTBANK: "11",
    MethodKind.RAKUTEN: "18",
}
