"""A run goes on only while whoever started it may still do what it does: rights are not kept for later."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User

from orders.bulk import worklist
from orders.bulk.models import BulkRun

WITHDRAWN = (
    "開始した利用者の利用停止または権限の変更により、自動で中止したため、実行していません。"
    "必要なときは、権限のある利用者がもう一度実行してください。"
)


def withdraw(run: BulkRun, permission: str, now: datetime) -> bool:
    """Stop the run where its operator was suspended or has lost the permission. False where all is well.

    What is being sent still ends; the rest ends as 中止.
    """
    operator = User.objects.filter(pk=run.created_by_id or 0).first()
    if operator is not None and operator.has_perm(permission):  # never true of a suspended login
        return False
    worklist.stop(run, by_name="", now=now, message=WITHDRAWN)
    return True
