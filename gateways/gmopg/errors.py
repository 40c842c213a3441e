"""GMO-PG's error codes: what each says about the trade, and what the operator does now.

The groups are those of the protocol notes (4.4 A to F). A code that is not here is an unknown outcome: never
a success, and never the certainty that nothing happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from gateways.outcomes import Declined, NotSent, Reason, ReasonKind, Refused, Unknown


class Verdict(IntEnum):
    """What a code says about the trade, from the least to the most cautious conclusion."""

    NOT_STARTED = 0
    DECLINED = 1
    REFUSED = 2
    UNKNOWN = 3


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A code's verdict, the shared kind of reason, and the sentence for the operator."""

    verdict: Verdict
    kind: ReasonKind
    text: str


def _group(verdict: Verdict, kind: ReasonKind, text: str, codes: str) -> dict[str, Meaning]:
    meaning = Meaning(verdict=verdict, kind=kind, text=text)
    return dict.fromkeys(codes.split(), meaning)


_OTHER_CARD = "お客様に、別のカードか他の決済方法をご案内ください。"
_TYPE_AGAIN = "お客様に、カード情報を入力し直していただいてください。"
_ASK = "決済状態確認・反映で、実際の状態を確認してください。"
_CONTACT = "システム管理者にご連絡ください。"

# A. The card was refused; the trade stays 未決済.
_DECLINED: dict[str, Meaning] = {
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_REFUSED,
        f"残高不足のため、カード会社の承認が得られませんでした。{_OTHER_CARD}",
        "42G020000 42G040000 42G060000",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_REFUSED,
        f"ご利用限度額を超えているため、カード会社の承認が得られませんでした。{_OTHER_CARD}",
        "42G030000 42G050000 42G070000 42G550000",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_REFUSED,
        f"このカードは使用できません。{_OTHER_CARD}",
        "42G120000 42G220000 42G300000 42G540000 42G560000 42G600000 42G610000 42G920000 42G950000 42G960000"
        " 42G970000 42G980000 42G990000 E11010099 E11010100",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_REFUSED,
        f"カード会社のシステムが応答できないため、承認が得られませんでした。時間をおくか、{_OTHER_CARD}",
        "42G910000",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_REFUSED,
        f"このカードブランドは取り扱っていません。{_OTHER_CARD}",
        "E41170002 E61010002",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_DATA_WRONG,
        f"セキュリティコードまたは暗証番号が正しくありません。{_TYPE_AGAIN}",
        "42G420000 42G440000 42G450000 E01460008 E01800001 E01800008 E01800010 E01800050",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_DATA_WRONG,
        f"カード番号または有効期限が正しくありません。{_TYPE_AGAIN}",
        "42G650000 42G830000 E41170099 E01170001 E01170003 E01170006 E01170011 E01180001 E01180003 E01180006"
        " E01180008 E01180011 E01480008 E01480011",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_DATA_WRONG,
        "このカードでは、選ばれた支払い方法(一括・分割など)を使用できません。"
        "お客様に、別の支払い方法をご案内ください。",
        "42G670000 42G680000 42G690000 42G700000 42G710000 42G720000 42G730000 42G740000 42G750000 42G760000"
        " 42G770000 42G780000 42G790000 42G800000 42G810000 E01260010 E01270010",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_REFUSED,
        f"本人認証(3Dセキュア)が完了しませんでした。{_OTHER_CARD}",
        "E21010001 E21010007 E21010999 E21020001 E21020002 E21020007 E21020999 E21010201 E21010202 E21030001"
        " E21030007 E21030201 E21030202",
    ),
    **_group(
        Verdict.DECLINED,
        ReasonKind.CARD_DATA_WRONG,
        f"カード情報の受け渡しの有効期限が切れました。{_TYPE_AGAIN}",
        "EX1000301 EX1000302 EX1000303 EX1000304",
    ),
}

# B. Our telegram or the contract's set-up is wrong; nothing was executed.
_WRONG_REQUEST: dict[str, Meaning] = {
    **_group(
        Verdict.REFUSED,
        ReasonKind.CREDENTIALS,
        "GMO-PGの接続設定(ショップID・サイトID・パスワード)が正しくないため、実行されませんでした。"
        "設定をご確認ください。",
        "E01010001 E01010008 E01010010 E01020001 E01020008 E01030002 E01190001 E01190008 E01200001 E01200007"
        " E01200008 E01210002 E01630010 E01640010 E01650012 M01002001 M01002002 M01002008 M01003001 M01003008",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.OUR_REQUEST,
        f"この操作は、GMO-PGとの契約または管理画面の設定で許可されていないため、実行されませんでした。{_CONTACT}",
        "E01030061 E01050004 E01080010 E01080101 E31500014 E61010001 E61010003 E61020001 E61030001 E61040001"
        " E61145002 E61152002 E61258001 E61214002 E61214010 E61219002 E91099997 M01053002",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.OUR_REQUEST,
        f"送信した内容に誤りがあるため、GMO-PGで実行されませんでした。{_CONTACT}",
        "E00000001 E00000002 E00000003 E00000010 E01040001 E01040003 E01040013 E01050001 E01050002 E01060001"
        " E01060005 E01060006 E01060011 E01070005 E01070006 E01080007 E01090001 E01090008 E01100001 E01100008"
        " E01220001 E01220005 E01220008 E01220010 E01220012 E01230001 E01230006 E01230009 E01250008 E01250010"
        " E01260001 E01260002 E01270001 E01270005 E01270006 E01290001 E01300001 E01310002 E01310007 E01320012"
        " E01330012 E01340012 E01350001 E01350008 E01360001 E01370008 E01370012 E01400007 E01430012 E01440008"
        " E01450008 E01470008 E01490005 E01840010 E01850008 E01870008 E01880001 E01880002 E01880008 E01890001"
        " E01890002 E01890006 E01890009 M01004001 M01004012 M01004013 M01005001 M01005005 M01005006 M01005011"
        " M01006005 M01006006 M01007001 M01007008 M01008001 M01008008 M01009001 M01009002 M01009005 M01010001"
        " M01010012 M01010013 M01011001 M01011012 M01011013 M01012001 M01012005 M01012008 M01013005 M01013006"
        " M01013011 M01014001 M01014005 M01051001 M01051005 M01051011 M01054001 M01054010 M01056001 M01056012"
        " M01059001 M01059005 M01059012 M01085001 M01085005 M01085006 M01086001 M01086005 M01086006",
    ),
}

# C. Not found, wrong state, too late; nothing changed, and the state shown here is out of date.
_NOT_NOW: dict[str, Meaning] = {
    **_group(
        Verdict.REFUSED,
        ReasonKind.NOT_FOUND,
        f"この取引はGMO-PGに見つかりません。{_ASK}",
        "E01110002 M01004002 M01058002 M01058004 M01058010",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.NOT_FOUND,
        f"登録されたカードまたは会員がGMO-PGに見つかりません。{_TYPE_AGAIN}",
        "E01240002 E01390002",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.AMOUNT_MISMATCH,
        f"金額がGMO-PGの取引の金額と一致しないため、実行されませんでした。{_ASK}",
        "E01060010 E01060021 M01055010 M01055011 M01085010 M01085011 M01086010",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.WRONG_STATE,
        f"まだ決済が完了していない取引のため、実行されませんでした。{_ASK}",
        "E01110010 E11010002 M11010099",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.WRONG_STATE,
        f"GMO-PGの現在の取引状態では、この操作はできません。{_ASK}",
        "E11010003 M01054004",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.WRONG_STATE,
        "この取引はGMO-PGの管理画面でロックされています。ロックを解除してから、もう一度実行してください。",
        "E01410010",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.TOO_LATE,
        "仮売上の有効期限が切れているため、実行されませんでした。再度お客様にご購入頂く必要があります。",
        "E01420010 M01060010",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.TOO_LATE,
        "処理できる期限を過ぎているため、実行されませんでした。お客様と直接ご精算ください。",
        "E11010010 E11010011 E11010012 E11010013 E11010014 E11010015 E11010016 E11010017 M01052011 M01057010"
        " M01089010 M01126011 M01127011",
    ),
    **_group(
        Verdict.REFUSED,
        ReasonKind.TOO_EARLY,
        "まだこの操作ができる時間になっていません。時間をおいて、もう一度実行してください。",
        "M01058011 M01095010 M01096010 M01097010",
    ),
}

# D. Done already, or doing: the inquiry tells whether it was us.
_ALREADY: dict[str, Meaning] = {
    **_group(
        Verdict.UNKNOWN,
        ReasonKind.ALREADY_DONE,
        "GMO-PGではすでに処理済み、または処理中の可能性があります。"
        "二重に実行せず、自動確認の結果をお待ちください。",
        "E01040010 M01004010 M01004014 E11010001 E11010999 M11010999 E01390010 E90010001",
    ),
}

# E. Crowded; nothing was started.
_BUSY: dict[str, Meaning] = {
    **_group(
        Verdict.NOT_STARTED,
        ReasonKind.BUSY,
        "GMO-PGが混み合っているため、実行されませんでした。しばらくしてから、もう一度実行してください。",
        "E92000001 E92000002 E82010001 F01050001 F01090999",
    ),
}

# F. Trouble on the way to the card company or inside GMO-PG.
_TROUBLE: dict[str, Meaning] = {
    **_group(
        Verdict.UNKNOWN,
        ReasonKind.PROVIDER_TROUBLE,
        "カード会社またはGMO-PGの障害のため、実行されたかどうか分かりません。"
        "二重に実行せず、自動確認の結果をお待ちください。",
        "42C010000 42C030000 42C120000 42C130000 42C140000 42C150000 42C330000 42C500000 42C510000 42C530000"
        " 42C540000 42C550000 42C560000 42C570000 42C580000 42C600000 42C700000 42C710000 42C720000 42C730000"
        " 42C740000 42C750000 42C760000 42C770000 42C780000 E91019999 E91020001 E91029998 E91029999 E91050001"
        " E91060001 E91099996 E91099999",
    ),
}

TABLE: Mapping[str, Meaning] = {
    **_DECLINED,
    **_WRONG_REQUEST,
    **_NOT_NOW,
    **_ALREADY,
    **_BUSY,
    **_TROUBLE,
}

UNHEARD_OF = Meaning(
    verdict=Verdict.UNKNOWN,
    kind=ReasonKind.OTHER,
    text="GMO-PGから未知のエラーが返されたため、実行されたかどうか分かりません。"
    "二重に実行せず、自動確認の結果をお待ちください。",
)

# What SearchTrade and SearchTradeMulti say, and say alone, when no such trade exists.
_NO_SUCH_TRADE = frozenset({"E01110002", "M01004002", "M01058002"})


def error_codes(fields: Mapping[str, str]) -> tuple[str, ...]:
    """The precise codes (ErrInfo) of an answer; empty when it is no error.

    ErrCode and ErrInfo are lists of pairs. Where they do not match, the answer is an error all the same and a
    code that is in no table stands for the missing part.
    """
    if "errcode" not in fields and "errinfo" not in fields:
        return ()
    classes = fields.get("errcode", "").split("|")
    codes = fields.get("errinfo", "").split("|")
    return tuple(codes) if len(classes) == len(codes) else (*codes, "incomplete")


def judge(codes: Sequence[str]) -> Declined | Refused | NotSent | Unknown:
    """The outcome that the codes of one answer stand for: the most cautious of them wins."""
    code = max(codes, key=lambda each: TABLE.get(each, UNHEARD_OF).verdict)
    meaning = TABLE.get(code, UNHEARD_OF)
    reason = Reason(kind=meaning.kind, code=code, text=meaning.text)
    match meaning.verdict:
        case Verdict.DECLINED:
            return Declined(reason=reason)
        case Verdict.REFUSED:
            return Refused(reason=reason)
        case Verdict.NOT_STARTED:
            return NotSent(reason=reason)
        case Verdict.UNKNOWN:
            return Unknown(reason=reason)


def says_no_such_trade(codes: Sequence[str]) -> bool:
    """Whether an inquiry's answer says that the trade does not exist, and nothing else."""
    return bool(codes) and all(code in _NO_SUCH_TRADE for code in codes)
