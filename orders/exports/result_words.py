"""What an export tells about itself, in sentences."""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat

from orders.exports.csv_text import GETA
from orders.exports.models import Export
from orders.exports.registry import ExportKind

State = Export.State


def of(export: Export, kind: ExportKind) -> list[str]:
    """How it ended and what the operator should know of it; nothing while it is being written."""
    if export.state == State.FAILED:
        return [export.message]
    if export.state == State.STOPPED:
        return ["中止したため、ファイルはありません。"]
    if export.state == State.REMOVED:
        return ["ファイルは削除済みです。必要なときは、一覧からもう一度出力してください。"]
    if export.state != State.FINISHED:
        return []
    written = export.total - export.missing
    lines = f"・{export.lines:,}{kind.unit}" if export.lines != written else ""
    sentences = [f"{written:,}件{lines}を出力しました（{filesizeformat(export.size)}）。"]
    if export.replaced:
        sentences.append(
            f"Shift_JISにない文字を{export.replaced:,}文字、「{GETA}」に置き換えました。"
            "元の文字が必要なときは、UTF-8で出力し直してください。"
        )
    if export.missing:
        sentences.append(f"{export.missing:,}件は、出力するまでに削除されたため含まれていません。")
    if export.unsummed:
        sentences.append(
            f"{export.unsummed:,}件は明細から税率別の金額を計算できないため、その欄を空にしています。"
        )
    return sentences
