from payments.models.account import GatewayAccount
from payments.models.nightly import NightlyJob, NightlySettings, ShopMail, StaleCase, StaleRun
from payments.models.notification import NoticeCursor, Notification
from payments.models.operation import Call, Operation
from payments.models.payment import LIVE_STATUSES, Payment
from payments.models.reconciliation import PaymentDifference, ReconciliationCase, ReconciliationRun

__all__ = [
    "LIVE_STATUSES",
    "Call",
    "GatewayAccount",
    "NightlyJob",
    "NightlySettings",
    "NoticeCursor",
    "Notification",
    "Operation",
    "Payment",
    "PaymentDifference",
    "ReconciliationCase",
    "ReconciliationRun",
    "ShopMail",
    "StaleCase",
    "StaleRun",
]
