"""The canonical words for payments that every provider is translated into."""

from __future__ import annotations

from enum import StrEnum


class PaymentStatus(StrEnum):
    """Where a payment stands, in one vocabulary for all providers and payment kinds."""

    UNPROCESSED = "UNPROCESSED"
    AUTHENTICATED = "AUTHENTICATED"
    AUTHPROCESS = "AUTHPROCESS"
    PAYFAIL = "PAYFAIL"
    CHECK = "CHECK"
    AUTH = "AUTH"
    SAUTH = "SAUTH"
    CAPTURE = "CAPTURE"
    SALES = "SALES"
    VOID = "VOID"
    RETURN = "RETURN"
    RETURNX = "RETURNX"
    EXPIRED = "EXPIRED"
    REQSUCCESS = "REQSUCCESS"
    REQSALES = "REQSALES"
    REQCANCEL = "REQCANCEL"
    REQCHANGE = "REQCHANGE"
    PAYSTART = "PAYSTART"
    PAYSUCCESS = "PAYSUCCESS"
    CANCEL = "CANCEL"
    EXCEPTION = "EXCEPTION"


class Action(StrEnum):
    """What an operator, a checkout or a nightly job may ask for. INQUIRE moves no money.

    AUTHORIZE begins a payment by card, REQUEST one of another kind, which the customer then makes elsewhere.
    """

    AUTHORIZE = "authorize"
    REQUEST = "request"
    CAPTURE = "capture"
    CANCEL = "cancel"
    CHANGE_AMOUNT = "change_amount"
    REAUTHORIZE = "reauthorize"
    GUIDED_CHANGE = "guided_change"
    INQUIRE = "inquire"


class CancelType(StrEnum):
    """The kind of cancel that the rule decides on; never the operator's choice."""

    VOID = "VOID"
    RETURN = "RETURN"
    RETURNX = "RETURNX"


class MethodKind(StrEnum):
    """How the customer pays."""

    CARD = "card"
    CVS = "cvs"
    PAYEASY_ATM = "payeasy_atm"
    PAYEASY_NET = "payeasy_net"
    AU = "au"
    DOCOMO = "docomo"
    SOFTBANK = "softbank"
    RAKUTEN = "rakuten"


# What a payment begins with: before it there is nothing at the provider.
BEGINNINGS = frozenset({Action.AUTHORIZE, Action.REQUEST})

# Paid with a number that the customer takes to a convenience store or a bank.
PAID_BY_NUMBER = frozenset({MethodKind.CVS, MethodKind.PAYEASY_ATM, MethodKind.PAYEASY_NET})
# Paid by agreeing on the payer's own pages, a carrier's or Rakuten's.
PAID_BY_CONSENT = frozenset({MethodKind.AU, MethodKind.DOCOMO, MethodKind.SOFTBANK, MethodKind.RAKUTEN})
