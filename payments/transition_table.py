"""The transition table as a page for people: docs/transitions.md is this text, and a test keeps it so."""

from __future__ import annotations

from gateways.vocabulary import Action
from payments import labels, wording
from payments.transitions import TABLE, Rule, Window

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


def as_markdown() -> str:
    """One table per provider and payment kind: a row per status, a column per action, results and deadline."""
    parts = ["# 取引状態ごとにできる操作", "", "`python manage.py transition_table` が出力する表です。"]
    for (provider, kind), edges in TABLE.items():
        parts += ["", f"## {labels.PANEL_TITLES[provider]}({labels.KIND_LABELS[kind]})", ""]
        parts.append(f"| 取引状態 | {' | '.join(wording.ACTION_NAMES[action] for action in _ACTIONS)} |")
        parts.append(f"| --- |{' --- |' * len(_ACTIONS)}")
        for status, actions in edges.items():
            cells = [_cell(provider, actions.get(action)) for action in _ACTIONS]
            parts.append(f"| {labels.status_label(provider, status)} | {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


def _cell(provider: str, rule: Rule | None) -> str:
    if rule is None:
        return "-"
    results = "・".join(labels.status_label(provider, result) for result in rule.results)
    return f"{results}({_WINDOWS[rule.window]})"
