"""売上・返金日 (SB-1): from which day it may be, which one is offered, and what to say about it. Pure.

Only where the provider takes a date (Capabilities.needs_date). A capture counts from the authorization's day on, a
refund from the sale's; a hold is freed at once, whatever day is named (sbps protocol, 2.2 and 4.1).
"""

from __future__ import annotations

from datetime import date, datetime

from gateways.vocabulary import CancelType
from payments import deadlines, wording
from payments.facts import Facts


def earliest(facts: Facts) -> date | None:
    """The first day that may be chosen: the sale's, or the authorization's while nothing is sold."""
    begin = facts.captured_at or facts.authorized_at
    return None if begin is None else deadlines.tokyo_day(begin)


def default(facts: Facts, now: datetime) -> date:
    """Today; the day of the sale while that is still to come."""
    today = deadlines.tokyo_day(now)
    return max(today, earliest(facts) or today)


def capture_words(on: date | None) -> str:
    """What a capture does, after its amount."""
    if on is None:
        return "の売上を確定します(実売上)。"
    return f"を、売上日 {wording.day(on)} で売上確定します(売上日指定要求)。"


def cancel_words(facts: Facts, kind: CancelType, on: date) -> str:
    """What a cancel with a date does."""
    amount = wording.yen(facts.amount)
    if kind is CancelType.VOID:
        return f"仮売上 {amount}を取り消します(返金要求)。仮売上は、返金日にかかわらずすぐに取り消されます。"
    sold_on = f"(売上日 {wording.day(deadlines.tokyo_day(facts.captured_at))})" if facts.captured_at else ""
    return f"売上 {amount}{sold_on}を、返金日 {wording.day(on)} で返金します(返金要求)。"


def capture_warnings(facts: Facts, on: date | None, now: datetime) -> list[str]:
    """A day in the past, a later one, and one beyond the capture's deadline."""
    if on is None:
        return []
    today = deadlines.tokyo_day(now)
    found = []
    if on < today:
        found.append(f"売上日 {wording.day(on)} は過去の日付です。本日より前の売上として確定します。")
    if on > today:
        found.append(
            f"売上日 {wording.day(on)} は本日より後の日付です。その日まで、お客様に請求されません。"
            "実行した後は、売上日を変更できません。"
        )
    if facts.capture_deadline is not None and on > facts.capture_deadline:
        found.append(
            f"売上日が売上期限の目安({wording.day(facts.capture_deadline)})を過ぎています。"
            "決済代行会社が受け付けないことがあります。"
        )
    return found


def cancel_warnings(facts: Facts, on: date | None, now: datetime) -> list[str]:
    """A sale that is still to come, and a day in the past or a later one for the refund of a sale."""
    if on is None or facts.captured_at is None:
        return []
    today, found = deadlines.tokyo_day(now), []
    if deadlines.tokyo_day(facts.captured_at) > today:
        found.append(
            "売上日がまだ来ていない売上です。返金日には、売上日以降の日付だけを指定できます。"
            "売上日より前に取りやめる必要があるときは、決済代行会社へお問い合わせください。"
        )
    elif on > today:
        found.append(f"返金日 {wording.day(on)} は本日より後の日付です。")
    elif on < today:
        found.append(f"返金日 {wording.day(on)} は過去の日付です。本日より前の返金として処理されます。")
    return found
