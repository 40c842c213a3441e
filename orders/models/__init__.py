from orders.bulk.models import BulkItem, BulkRun
from orders.exports.models import Export, ExportChunk
from orders.models.catalog import Customer, PaymentMethod, Product
from orders.models.history import OrderChange, SentMail
from orders.models.ledger import PointEntry, StockEntry
from orders.models.listing import CountDelta, CountDimension, FoldedCount, OrderSearch
from orders.models.order import Order, OrderLine
from orders.models.sales import DailySales, SalesDelta

__all__ = [
    "BulkItem",
    "BulkRun",
    "CountDelta",
    "CountDimension",
    "Customer",
    "DailySales",
    "Export",
    "ExportChunk",
    "FoldedCount",
    "Order",
    "OrderChange",
    "OrderLine",
    "OrderSearch",
    "PaymentMethod",
    "PointEntry",
    "Product",
    "SalesDelta",
    "SentMail",
    "StockEntry",
]
