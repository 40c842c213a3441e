"""決済情報差分通知: every notice of the queue is also posted to the shop's address, until it answers `result=0`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from gateways.sandbox import notifier
from gateways.sandbox.paygent import notices
from gateways.sandbox.paygent.desk import MERCHANTS, NAME
from gateways.sandbox.storage import Storage

RECEIVED = b"result=0"
# What the hash covers, in its order; the state is not among it.
HASHED = ("payment_notice_id", "payment_id", "trading_id", "payment_type", "payment_amount")


class Notifier(notifier.Notifier):
    """The outbox of Paygent. Whether a notice was fetched (091) makes no difference to its delivery."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage, provider=NAME, received=RECEIVED)
        self._queue = storage
        self._told = notices.newest_id(storage)

    def change(self, wishes: Mapping[str, Any]) -> None:
        """What happened before there was a target is not told."""
        super().change(wishes)
        self._told = notices.newest_id(self._queue)

    def reset(self) -> None:
        """Forget the target; outbox and queue were wiped."""
        super().reset()
        self._told = 0

    def queue_new(self) -> None:
        """Tell every notice since the last call; inside the transaction that made them."""
        if not self.is_on:
            return
        for number, fields in notices.after(self._queue, self._told):
            self._told = number
            told = {"payment_notice_id": str(number), **fields}
            self.put({**told, "hc": hash_of(told)})


def hash_of(fields: Mapping[str, str]) -> str:
    """`hc` of the one merchant of this sandbox."""
    merchant = next(iter(MERCHANTS.values()))
    text = "".join(fields.get(name, "") for name in HASHED) + merchant.hash_key
    return hashlib.sha256(text.encode()).hexdigest()
