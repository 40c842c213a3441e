"""対応状況: the order statuses, and which may follow which. Ids, names and colours are EC-CUBE's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.db import models


class OrderStatus(models.IntegerChoices):
    """The eight statuses an order can be in."""

    NEW = 1, "新規受付"
    PAID = 6, "入金済み"
    IN_PROGRESS = 4, "対応中"
    CANCELLED = 3, "注文取消し"
    SHIPPED = 5, "発送済み"
    PROCESSING = 8, "購入処理中"
    PENDING = 7, "決済処理中"
    RETURNED = 9, "返品"


# The order in which operators know them.
DISPLAY_ORDER = (
    OrderStatus.NEW,
    OrderStatus.PAID,
    OrderStatus.IN_PROGRESS,
    OrderStatus.CANCELLED,
    OrderStatus.SHIPPED,
    OrderStatus.PROCESSING,
    OrderStatus.PENDING,
    OrderStatus.RETURNED,
)

COLOURS: Mapping[OrderStatus, str] = MappingProxyType(
    {
        OrderStatus.NEW: "#437ec4",
        OrderStatus.PAID: "#25B877",
        OrderStatus.IN_PROGRESS: "#EEB128",
        OrderStatus.CANCELLED: "#C04949",
        OrderStatus.SHIPPED: "#25B877",
        OrderStatus.PROCESSING: "#A3A3A3",
        OrderStatus.PENDING: "#A3A3A3",
        OrderStatus.RETURNED: "#C04949",
    }
)

# Left out of lists unless ticked (PG-7).
HIDDEN_BY_DEFAULT = frozenset({OrderStatus.PROCESSING, OrderStatus.PENDING})

# What an operator may choose.
OPERATOR_MOVES: Mapping[OrderStatus, tuple[OrderStatus, ...]] = MappingProxyType(
    {
        OrderStatus.NEW: (
            OrderStatus.PAID,
            OrderStatus.IN_PROGRESS,
            OrderStatus.CANCELLED,
            OrderStatus.SHIPPED,
        ),
        OrderStatus.PAID: (OrderStatus.IN_PROGRESS, OrderStatus.CANCELLED, OrderStatus.SHIPPED),
        OrderStatus.IN_PROGRESS: (OrderStatus.PAID, OrderStatus.CANCELLED, OrderStatus.SHIPPED),
        OrderStatus.SHIPPED: (OrderStatus.RETURNED,),
        OrderStatus.RETURNED: (OrderStatus.SHIPPED,),
        OrderStatus.CANCELLED: (
            OrderStatus.NEW,
            OrderStatus.IN_PROGRESS,
            OrderStatus.SHIPPED,
            OrderStatus.PAID,
        ),
        OrderStatus.PROCESSING: (),
        OrderStatus.PENDING: (),
    }
)

# What the checkout and the stale-order job do.
SYSTEM_MOVES: Mapping[OrderStatus, tuple[OrderStatus, ...]] = MappingProxyType(
    {
        OrderStatus.PROCESSING: (OrderStatus.PENDING, OrderStatus.CANCELLED),
        OrderStatus.PENDING: (OrderStatus.NEW, OrderStatus.PAID, OrderStatus.CANCELLED),
    }
)
