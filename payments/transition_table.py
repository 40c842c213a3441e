"""The transition table as a page for people: docs/transitions.md is this text, and a test keeps it so."""

from __future__ import annotations

from itertools import groupby

from gateways.vocabulary import Action, MethodKind, PaymentStatus
from payments import labels, wording
from payments.transitions import TABLE, Rule, Window, rule

_WINDOWS = {
    Window.CAPTURE: "売上期限まで",
    Window.CHANGE: "取消期限まで",
    Window.NONE: "期限なし",
}
_ACTIONS = (
    Action.CAPTURE,
    Action.CANCEL,
    Action.CHANGE_AMOUNT,
    Action.REAUTHORIZE,
    Action.GUIDED_CHANGE,
)


# What a reader who knows another provider would miss in a table, and why it is so.
_NOTES = {
    "paygent": (
        "決済金額変更の後の状態は選べません。オーソリOKはオーソリOKのまま(オーソリ変更)、売上は売上のまま(売上変更)、"
        "金額だけが変わります。仮売上と即時売上を選べるのは、GMO-PGだけです。ペイジェントでオーソリOKの金額を変えて"
        "請求するときは、決済金額変更の後に売上を確定します。"
    ),
}
# A status of which no reason says anything special: what remains is the kind's own reason.
_ORDINARY = PaymentStatus.AUTH


def as_markdown() -> str:
    """One table per provider and payment kind: a row per status, a column per action, results and deadline.

    Kinds of which nothing can be done are named together, with the reasons.
    """
    parts = ["# 取引状態ごとにできる操作", "", "`python manage.py transition_table` が出力する表です。"]
    for (provider, kind), edges in TABLE.items():
        if not edges:
            continue
        parts += ["", f"## {labels.PANEL_TITLES[provider]}({labels.KIND_LABELS[kind]})", ""]
        parts.append(f"| 取引状態 | {' | '.join(wording.ACTION_NAMES[action] for action in _ACTIONS)} |")
        parts.append(f"| --- |{' --- |' * len(_ACTIONS)}")
        for status, actions in edges.items():
            cells = [_cell(provider, actions.get(action)) for action in _ACTIONS]
            parts.append(f"| {labels.status_label(provider, status)} | {' | '.join(cells)} |")
        if note := _NOTES.get(provider):
            parts += ["", note]
    without = [where for where, edges in TABLE.items() if not edges]
    for (provider, reasons), group in groupby(without, key=lambda where: (where[0], _reasons(*where))):
        names = "・".join(labels.KIND_LABELS[kind] for _provider, kind in group)
        parts += ["", f"## {labels.PANEL_TITLES[provider]}({names})", ""]
        parts += ["この画面で行えるのは、決済状態確認・反映だけです。", ""]
        parts += [f"- {name}: {reason}" for name, reason in reasons]
    return "\n".join(parts) + "\n"


def _cell(provider: str, edge: Rule | None) -> str:
    if edge is None:
        return "-"
    results = "・".join(labels.status_label(provider, result) for result in edge.results)
    return f"{results}({_WINDOWS[edge.window]})"


def _reasons(provider: str, kind: MethodKind) -> tuple[tuple[str, str], ...]:
    return tuple(
        (wording.ACTION_NAMES[action], rule(provider, kind, _ORDINARY, action).refusal) for action in _ACTIONS
    )
