"""Cards that the provider keeps for a member (CC-7, 2クリック決済). What is ours of it is the member id alone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings

from gateways import registry
from gateways.interface import CardFile, CardToken, KeepsTraded, KeptCard
from gateways.outcomes import Approved
from gateways.vocabulary import Action
from orders.models import Customer
from payments import throttle
from payments.journal import OperationJournal
from payments.models import GatewayAccount, Operation

# Set in Operation.progress by the one request that keeps the card of this operation.
_KEPT_BY = "keeps_card"


def is_offered(customer: Customer | None, account: GatewayAccount) -> bool:
    """Whether the customer may have cards kept: members only, where the account has a card file."""
    return customer is not None and _card_file(account) is not None


def usable(customer: Customer | None, account: GatewayAccount) -> Sequence[KeptCard]:
    """The member's cards as the provider lists them, masked; empty also while it does not answer.

    The telegram is journalled under the member's last authorization, without which no card can be on file.
    """
    if customer is None or not customer.member_id:
        return ()
    file, operation = _card_file(account), _last_authorization(customer, account)
    if file is None or operation is None:
        return ()
    with throttle.slot(account) as admitted:
        if not admitted:
            return ()
        answer = file.kept(member_id=customer.member_id, journal=OperationJournal(operation))
    return answer if isinstance(answer, Sequence) else ()


def to_keep(card: CardToken, customer: Customer, account: GatewayAccount) -> CardToken:
    """The token with the wish to keep its card, where the provider keeps it with the payment."""
    file = _card_file(account)
    if file is None or isinstance(file, KeepsTraded):
        return card
    return replace(card, keep_for=_member_id(customer))


def forget(customer: Customer | None, account: GatewayAccount, card_seq: str) -> bool:
    """Delete one of the member's cards at the provider; whether it is off the file."""
    if customer is None or not customer.member_id:
        return False
    file, operation = _card_file(account), _last_authorization(customer, account)
    if file is None or operation is None:
        return False
    with throttle.slot(account) as admitted:
        if not admitted:
            return False
        journal = OperationJournal(operation)
        answer = file.forget(member_id=customer.member_id, card_seq=card_seq, journal=journal)
    return isinstance(answer, Approved)


def keep(operation: Operation, customer: Customer) -> None:
    """Keep the card of a successful authorization where the provider does so afterwards, once per operation.

    A failure changes nothing for the order: what is paid is paid, and the customer can register again next time.
    """
    account = GatewayAccount.objects.get(payments__operations=operation)
    file = _card_file(account)
    if not isinstance(file, KeepsTraded) or not _is_first(operation):
        return
    with throttle.slot(account) as admitted:
        if admitted:
            file.keep_traded(
                member_id=_member_id(customer),
                order_id=operation.payment.provider_order_id,
                journal=OperationJournal(operation),
            )


def _card_file(account: GatewayAccount) -> CardFile | None:
    configured = settings.GATEWAY_ACCOUNTS.get(account.code)
    return registry.card_file(configured.provider, configured.account) if configured else None


def _last_authorization(customer: Customer, account: GatewayAccount) -> Operation | None:
    return (
        Operation.objects.filter(
            action=Action.AUTHORIZE.value,
            state=Operation.State.SUCCEEDED,
            payment__account=account,
            payment__order__customer=customer,
        )
        .order_by("-pk")
        .first()
    )


def _is_first(operation: Operation) -> bool:
    progress = {**operation.progress, _KEPT_BY: "1"}
    rows = Operation.objects.filter(pk=operation.pk, state=Operation.State.SUCCEEDED)
    return rows.exclude(progress__has_key=_KEPT_BY).update(progress=progress) == 1


def _member_id(customer: Customer) -> str:
    """The member id, made at the first card; two cards registered at once get the same one."""
    if not customer.member_id:
        Customer.objects.filter(pk=customer.pk, member_id="").update(member_id=uuid.uuid4().hex)
        customer.refresh_from_db(fields=["member_id"])
    return customer.member_id
