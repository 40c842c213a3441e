"""What the operator reads when a change of amount did not simply work: both payment ids, and what to do now."""

from __future__ import annotations

from gateways.outcomes import Reason, ReasonKind

_ONLINE = "ペイジェントオンライン"


def not_begun(reason: Reason) -> Reason:
    """The look at the old payment failed, so nothing was sent."""
    return Reason(
        kind=reason.kind,
        code=reason.code,
        text="実行前にペイジェントで取引を確認できなかったため、何も実行していません。時間をおいて、もう一度実行してください。",
    )


def old_differs(kind: ReasonKind, code: str) -> Reason:
    """The old payment is not what the operator was shown."""
    texts = {
        ReasonKind.AMOUNT_MISMATCH: "ペイジェントの決済金額が当店の記録と異なるため、金額変更を実行していません。",
        ReasonKind.TOO_LATE: "売上後の変更ができる期限を過ぎているため、金額変更を実行していません。",
    }
    text = texts.get(kind, "ペイジェントの取引状態が当店の記録と異なるため、金額変更を実行していません。")
    return Reason(kind=kind, code=code, text=f"{text}決済状態確認・反映で、実際の状態を確認してください。")


def authorization_lost(reason: Reason, *, old: str, trading_id: str, proven_absent: bool) -> Reason:
    """020 or 028/029 got no answer and 094 does not know the new payment (yet)."""
    return Reason(
        kind=ReasonKind.NOT_FOUND if proven_absent else reason.kind,
        code=reason.code,
        text=(
            f"金額変更の新しい与信(取引ID {trading_id})が成立したかどうか分かりません。元の決済(決済ID {old})は"
            f"そのままです。自動確認を続けています。確認中のままのときは、{_ONLINE}で取引ID {trading_id} を"
            "検索してください。"
        ),
    )


def under_way(reason: Reason, *, old: str, new: str) -> Reason:
    """A later telegram is unknown; the verb goes on when it is called again."""
    return Reason(
        kind=reason.kind,
        code=reason.code,
        text=(
            f"金額変更の途中で結果が分からなくなりました。元の決済(決済ID {old})と新しい決済(決済ID {new})の"
            "両方が有効な可能性があります。自動確認が続きを行います。操作せずにお待ちください。"
        ),
    )


def two_live(reason: Reason, *, old: str, new: str, captured: bool) -> Reason:
    """Both payments are live and no telegram ends one of them; stays open until a person has ended one."""
    state = "二重に請求される状態です" if captured else "与信が二重に残っています"
    return Reason(
        kind=ReasonKind.OTHER,
        code=reason.code,
        text=(
            f"元の決済(決済ID {old})と新しい決済(決済ID {new})の両方が有効で、お客様に{state}。"
            f"変更後の金額で請求するときは {old} を、変更をやめるときは {new} を、{_ONLINE}で取り消してください。"
            "取り消したことを自動確認が検知すると、この操作は完了します。"
        ),
    )


def undone(code: str, *, old: str, new: str) -> Reason:
    """The new authorization was given up again."""
    return Reason(
        kind=ReasonKind.WRONG_STATE,
        code=code,
        text=(
            f"金額変更を完了できなかったため、新しい与信(決済ID {new})を取り消しました。"
            f"元の決済(決済ID {old})は変更前の金額のまま有効です。"
        ),
    )


def both_gone(code: str, *, old: str, new: str) -> Reason:
    """Neither payment is live."""
    return Reason(
        kind=ReasonKind.WRONG_STATE,
        code=code,
        text=(
            f"元の決済(決済ID {old})も新しい決済(決済ID {new})も取り消されているか期限切れです。"
            "お客様への請求はありません。必要なときは、再度お客様にご購入頂いてください。"
        ),
    )


def old_stays(reason: Reason, *, old: str) -> Reason:
    """The new authorization was refused, or never sent."""
    text = f"{reason.text}元の決済(決済ID {old})は変更前の金額のまま有効です。"
    return Reason(kind=reason.kind, code=reason.code, text=text)


def refused_before(code: str, *, old: str) -> Reason:
    """The note of an earlier run says that no new payment was made."""
    return Reason(
        kind=ReasonKind.WRONG_STATE,
        code=code,
        text=f"新しい与信が成立しなかったため、元の決済(決済ID {old})は変更前の金額のまま有効です。",
    )


def declined_before() -> Reason:
    """An inquiry shows that the new authorization was declined."""
    return Reason(
        kind=ReasonKind.CARD_REFUSED,
        code="11",
        text="変更後の金額でカード会社の承認が得られませんでした。元の決済は変更前の金額のまま有効です。",
    )
