"""結果通知: after each change of a trade the shop's address is told, until it answers `0`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateways.sandbox import notifier
from gateways.sandbox.gmopg.desk import NAME
from gateways.sandbox.gmopg.trades import CARD, Trade
from gateways.sandbox.storage import Storage

RECEIVED = b"0"


class Notifier(notifier.Notifier):
    """The outbox of GMO-PG: one notification for each movement booked, and for each trade named."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage, provider=NAME, received=RECEIVED)
        self._ledger = storage
        self._booked = self._newest_booking()

    def change(self, wishes: Mapping[str, Any]) -> None:
        """What was booked before there was a target is not told."""
        super().change(wishes)
        self._booked = self._newest_booking()

    def reset(self) -> None:
        """Forget the target; the outbox and the ledger were wiped."""
        super().reset()
        self._booked = 0

    def queue_booked(self) -> None:
        """Queue a notification for each movement of a card booked since the last call; inside its transaction."""
        if not self.is_on:
            return
        rows = self._ledger.rows(
            "SELECT ledger.id AS booking, trade.* FROM ledger JOIN gmopg_trades AS trade USING (order_id)"
            " WHERE provider = ? AND pay_type = ? AND ledger.id > ? ORDER BY ledger.id",
            NAME, CARD, self._booked,
        )  # fmt: skip
        for row in rows:
            self._booked = row["booking"]
            self.queue(Trade(*tuple(row)[1:]))

    def queue(self, trade: Trade) -> None:
        """Tell how a trade stands now."""
        self.put(fields_of(trade))

    def _newest_booking(self) -> int:
        row = self._ledger.row("SELECT COALESCE(MAX(id), 0) AS newest FROM ledger")
        return 0 if row is None else int(row["newest"])


def fields_of(trade: Trade) -> dict[str, str]:
    """What GMO-PG tells about a trade; passwords come as asterisks."""
    return {
        "ShopID": trade.shop_id,
        "ShopPass": "*" * 10,
        "AccessID": trade.access_id,
        "AccessPass": "*" * 32,
        "OrderID": trade.order_id,
        "Status": trade.status,
        "JobCd": trade.job,
        "Amount": str(trade.amount or 0),
        "Tax": str(trade.tax),
        "Currency": "JPN",
        "Forward": trade.forward,
        "Method": trade.method,
        "PayTimes": trade.pay_times,
        "TranID": trade.tran_id,
        "Approve": trade.approve,
        "TranDate": trade.tran_date or trade.process_date,
        "ErrCode": "",
        "ErrInfo": "",
        "PayType": trade.pay_type,
        **trade.told,
    }
