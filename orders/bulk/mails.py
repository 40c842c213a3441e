"""メール一括通知 (CC-1): the bulk kind that sends one mail per order, each exactly once per run.

The mail is a row under the key of the run's row before it is sent, so that a worker that takes the row over finds
it: what waits is sent, what was sent is not sent again, and what was being sent when its worker died is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import QueryDict

from cagolab import clock, mail_queue
from orders.bulk.models import BulkItem, BulkRun
from orders.bulk.registry import (
    Answered,
    Begun,
    Choice,
    Choices,
    DateChoice,
    Ending,
    FollowChoice,
    InvalidParameters,
    Notice,
    Ready,
    Result,
    Row,
    Skip,
    Task,
    Verdict,
)
from orders.history import Author
from orders.mails import TEMPLATES, MailTemplate, draft, write_mail
from orders.models import Order, SentMail
from orders.statuses import HIDDEN_BY_DEFAULT, OrderStatus

SOURCE = "メール一括通知"
# A mail that is being sent for longer than this belongs to a worker that died; the mail server answers in seconds.
GIVEN_UP_AFTER = timedelta(minutes=10)

_TEMPLATES = {template.code: template for template in TEMPLATES}
_NO_ADDRESS = "メールアドレスが登録されていません。"
_BAD_ADDRESS = "メールアドレスの形式が正しくありません。"
_NOT_ORDERED = "お客様のお手続きが終わっていません（購入処理中・決済処理中）。"
_MAYBE_SENT = (
    "送信の途中でサーバーが停止しました。届いている可能性があるため、自動では送り直しません。"
    "メールサーバーの記録かお客様に確認してから、必要なときだけ送り直してください。"
)


class MailFacts(NamedTuple):
    """What decides whether an order gets the mail."""

    email: str
    status: int
    has_it_already: bool


class MailKind:
    """Sends the mail of a template to the orderer of each row."""

    code = "mail"
    label = "メール一括通知"
    word = "メール送信"
    permission = "orders.change_order"
    is_atomic: Literal[False] = False
    # Connections to the mail server at a time; few servers like more.
    concurrency = 4

    def parse(self, posted: QueryDict) -> dict[str, Any]:
        """`template`: which mail."""
        code = str(posted.get("template", ""))
        if code not in _TEMPLATES:
            raise InvalidParameters("送信するメールのテンプレートを選択してください。")
        return {"template": code}

    def title(self, parameters: Mapping[str, Any]) -> str:
        return f"メール一括通知（{_template(parameters).label}）"

    def notices(self, run: BulkRun) -> Sequence[Notice]:
        """What leaves the house cannot be taken back, and the text of the first mail."""
        notices = [
            Notice(
                text="実行すると、対象のお客様全員にメールが送信されます。送信したメールは取り消せません。",
                is_warning=True,
            )
        ]
        first = BulkItem.objects.filter(run=run, state=BulkItem.State.READY).order_by("id").first()
        if first is not None:
            order = Order.objects.get(pk=first.order_id)
            words = draft(_template(run.parameters), order)
            notices.append(
                Notice(
                    text=f"メールの内容は、受注ごとに差し替わります。例：注文番号 {order.number}（{words.to}）",
                    details=f"件名：{words.subject}\n\n{words.body}",
                )
            )
        return notices

    def follow_choice(self, run: BulkRun) -> FollowChoice | None:
        return None

    def choices(self, parameters: Mapping[str, Any]) -> Choices | None:
        """Another template for the same orders."""
        return Choices(
            name="template",
            label="テンプレート",
            values=tuple(
                Choice(
                    value=template.code,
                    label=template.label,
                    is_chosen=template.code == parameters["template"],
                )
                for template in TEMPLATES
            ),
        )

    def date_choice(self, run: BulkRun) -> DateChoice | None:
        return None

    def rows(self, run: BulkRun) -> Iterable[Row]:
        """Every row with its address: two queries."""
        subject = _template(run.parameters).subject
        have_it = set(
            SentMail.objects.filter(order__bulk_items__run=run, subject__contains=subject)
            .exclude(state=SentMail.State.FAILED)
            .values_list("order_id", flat=True)
        )
        items = BulkItem.objects.filter(run=run).order_by("id")
        columns = ("id", "order_id", "order__email", "order__status", "order__payment_total")
        for pk, order_id, email, status, total in items.values_list(*columns).iterator(chunk_size=2000):
            yield Row(item_id=pk, facts=MailFacts(email, status, order_id in have_it), amount=total)

    def judge(self, facts: MailFacts, parameters: Mapping[str, Any], now: datetime) -> Verdict:
        """Left out without an address, or where nothing was ordered yet; warned where the mail tells what is not so."""
        template = _template(parameters)
        status = OrderStatus(facts.status)
        if reason := _no_mail_because(facts):
            return Skip(reason=reason)
        warnings = []
        if template.tells is not None and status is not template.tells:
            warnings.append(
                f"対応状況が「{template.tells.label}」ではない受注に「{template.label}」を送信します。"
            )
        if facts.has_it_already:
            warnings.append(f"「{template.label}」のメールをすでに送信した受注に、もう一度送信します。")
        return Ready(
            group=f"「{template.label}」を送信",
            words=f"{facts.email} に送信します。",
            shown=_shown(facts.email, status),
            warnings=tuple(warnings),
        )

    def begin(self, tasks: Sequence[Task], now: datetime) -> Mapping[UUID, Begun | Result]:
        """Look again, and write each mail down under its row's key; one that waits there already is the same one."""
        wanted = [task.order_id for task in tasks]
        orders = Order.objects.prefetch_related("lines").in_bulk(wanted)
        return {task.key: self._begun(task, orders[task.order_id], now) for task in tasks}

    def send(self, begun: Begun) -> Result:
        """Send the mail, unless the minute job was faster; what became of it is written down with it."""
        mail_queue.send_one(SentMail.objects.all(), begun.handle)
        return _result(SentMail.objects.defer("body").get(pk=begun.handle), clock.now())

    def give_back(self, begun: Begun, reason: str) -> Result:
        """Take the mail back, where it still waits."""
        waiting = SentMail.objects.filter(pk=begun.handle, state=SentMail.State.QUEUED)
        if waiting.update(state=SentMail.State.FAILED, error=reason):
            return Result(ending=Ending.NOT_SENT, message=reason)
        return _result(SentMail.objects.defer("body").get(pk=begun.handle), clock.now())

    def settle(self, answered: Sequence[Answered], now: datetime) -> Mapping[UUID, Result]:
        """Nothing: no mail is left to be written down after it was sent."""
        return {}

    def settle_alone(self, answered: Answered) -> Result:
        raise AssertionError("a mail is written down when it is sent")

    def known_results(self, keys: Sequence[UUID]) -> Mapping[UUID, Result]:
        """What became of the mails under these keys; one that still waits is as good as not begun."""
        now = clock.now()
        mails = SentMail.objects.filter(key__in=keys).exclude(state=SentMail.State.QUEUED)
        return {mail.key: _result(mail, now) for mail in mails.defer("body")}

    def _begun(self, task: Task, order: Order, now: datetime) -> Begun | Result:
        if _shown(order.email, OrderStatus(order.status)) != task.shown:
            return Result(
                ending=Ending.RECHECK,
                message="確認後にメールアドレスか対応状況が変わったため、送信していません。もう一度確認してください。",
            )
        author = Author(name=task.actor_name, source=SOURCE, user=task.actor, ip=task.ip_address)
        words = draft(_template(task.parameters), order)
        mail = write_mail(order=order, words=words, key=task.key, author=author, now=now)
        return Begun(key=task.key, handle=mail.pk)


def _template(parameters: Mapping[str, Any]) -> MailTemplate:
    return _TEMPLATES[parameters["template"]]


def _no_mail_because(facts: MailFacts) -> str:
    if OrderStatus(facts.status) in HIDDEN_BY_DEFAULT:
        return _NOT_ORDERED
    if not facts.email:
        return _NO_ADDRESS
    try:
        validate_email(facts.email)
    except ValidationError:
        return _BAD_ADDRESS
    return ""


def _shown(email: str, status: OrderStatus) -> str:
    return hashlib.sha256(f"{status.value}\n{email}".encode()).hexdigest()


def _result(mail: SentMail, now: datetime) -> Result:
    if mail.state == SentMail.State.SENT:
        return Result(ending=Ending.SUCCEEDED, message=f"{mail.to} に送信しました。")
    if mail.state == SentMail.State.FAILED:
        return Result(ending=Ending.FAILED, message=f"{mail.to} に送信できませんでした。{mail.error}")
    if now - mail.sent_at < GIVEN_UP_AFTER:
        return Result(ending=Ending.UNKNOWN, message=f"{mail.to} に送信中です。")
    return Result(ending=Ending.FAILED, message=_MAYBE_SENT)
