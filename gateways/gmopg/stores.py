"""GMO-PG's numbers of convenience stores (protocol 2.9). 1xxxx is the newer route to the same chain."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_CHAINS: Mapping[str, str] = MappingProxyType(
    {
        "0001": "ローソン",
        "0002": "ファミリーマート",
        "0003": "サンクス",
        "0004": "サークルK",
        "0005": "ミニストップ",
        "0006": "デイリーヤマザキ",
        "0007": "セブン-イレブン",
        "0008": "セイコーマート",
        "0009": "スリーエフ",
    }
)
# What a customer may choose today; the other chains have closed or joined one of these.
STORES: Mapping[str, str] = MappingProxyType(
    {code: _CHAINS[code[1:]] for code in ("00007", "10002", "10001", "10005", "00006", "10008")}
)


def store_name(code: str) -> str:
    """The chain of a number, or the number itself where it is not known."""
    return _CHAINS.get(code[1:], code) if code[:1] in ("0", "1") else code
