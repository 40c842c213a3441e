"""The cards of a member: numbered physically for ever, logically without the gaps of deleted ones."""

from __future__ import annotations

from dataclasses import dataclass

from gateways.sandbox.gmopg.cards import Card
from gateways.sandbox.gmopg.desk import Desk
from gateways.sandbox.gmopg.fields import Checks, is_digits
from gateways.sandbox.gmopg.members import require
from gateways.sandbox.gmopg.wire import Refused

SCHEMA = """
CREATE TABLE IF NOT EXISTS gmopg_cards (
    site_id TEXT NOT NULL, member_id TEXT NOT NULL, seq INTEGER NOT NULL, card TEXT NOT NULL,
    is_default INTEGER NOT NULL, name TEXT NOT NULL, holder TEXT NOT NULL, card_pass TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (site_id, member_id, seq)
) WITHOUT ROWID;
"""
PHYSICAL = "1"
MOST_CARDS = 10
NO_CARD = "E01240002"
TOO_MANY = "E01230009"


@dataclass(frozen=True, slots=True)
class StoredCard:
    """One card on file. `shown_seq` is its number in the mode that was asked for."""

    seq: int
    shown_seq: int
    card: Card
    is_default: bool
    name: str
    holder: str
    card_pass: str
    deleted: bool


def check_sequence(checks: Checks, *, required: bool) -> int | None:
    """CardSeq, and SeqMode beside it."""
    if checks.get("SeqMode") not in ("", "0", "1"):
        checks.add("470008")
    sequence = checks.get("CardSeq")
    if not sequence:
        if required:
            checks.add("230001")
        return None
    if not is_digits(sequence):
        checks.add("230006")
        return None
    return int(sequence)


def all_of(desk: Desk, site_id: str, member_id: str, mode: str) -> list[StoredCard]:
    """All cards in the numbering of `mode` (SeqMode). Logical mode does not see deleted ones."""
    require(desk, site_id, member_id)
    rows = desk.house.storage.rows(
        "SELECT * FROM gmopg_cards WHERE site_id = ? AND member_id = ? AND deleted <= ? ORDER BY seq",
        site_id, member_id, int(mode == PHYSICAL),
    )  # fmt: skip
    return [
        StoredCard(
            seq=row["seq"],
            shown_seq=row["seq"] if mode == PHYSICAL else place,
            card=Card.from_json(row["card"]),
            is_default=bool(row["is_default"]),
            name=row["name"],
            holder=row["holder"],
            card_pass=row["card_pass"],
            deleted=bool(row["deleted"]),
        )
        for place, row in enumerate(rows)
    ]


def find(desk: Desk, site_id: str, member_id: str, mode: str, sequence: int | None) -> StoredCard:
    """A usable card; without a number the default one. Raises Refused."""
    usable = [card for card in all_of(desk, site_id, member_id, mode) if not card.deleted]
    for card in usable:
        if card.shown_seq == sequence or (sequence is None and card.is_default):
            return card
    if sequence is None and usable:
        return usable[0]
    raise Refused(NO_CARD)


def add(
    desk: Desk, site_id: str, member_id: str, card: Card, *, mode: str, is_default: bool, name: str = "",
    holder: str = "", card_pass: str = "",
) -> int:  # fmt: skip
    """File a card and return its number in the numbering of `mode`. Raises Refused over ten cards."""
    usable = all_of(desk, site_id, member_id, "0")
    if len(usable) >= MOST_CARDS:
        raise Refused(TOO_MANY)
    row = desk.house.storage.row(
        "SELECT COALESCE(MAX(seq) + 1, 0) AS next FROM gmopg_cards WHERE site_id = ? AND member_id = ?",
        site_id, member_id,
    )  # fmt: skip
    seq = 0 if row is None else int(row["next"])
    desk.house.storage.run(
        "INSERT INTO gmopg_cards (site_id, member_id, seq, card, is_default, name, holder, card_pass)"
        " VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
        site_id, member_id, seq, card.to_json(), name, holder, card_pass,
    )  # fmt: skip
    if is_default:
        make_default(desk, site_id, member_id, seq)
    return seq if mode == PHYSICAL else len(usable)


def replace(desk: Desk, site_id: str, member_id: str, old: StoredCard, card: Card, **texts: str) -> None:
    """Put another card under the same number."""
    desk.house.storage.run(
        "UPDATE gmopg_cards SET card = ?, name = ?, holder = ?, card_pass = ?"
        " WHERE site_id = ? AND member_id = ? AND seq = ?",
        card.to_json(), texts["name"], texts["holder"], texts["card_pass"], site_id, member_id, old.seq,
    )  # fmt: skip


def make_default(desk: Desk, site_id: str, member_id: str, seq: int) -> None:
    """One card of a member is the default."""
    desk.house.storage.run(
        "UPDATE gmopg_cards SET is_default = (seq = ?) WHERE site_id = ? AND member_id = ?",
        seq, site_id, member_id,
    )  # fmt: skip


def delete(desk: Desk, site_id: str, member_id: str, card: StoredCard) -> None:
    """The number stays taken in physical mode."""
    desk.house.storage.run(
        "UPDATE gmopg_cards SET deleted = 1, is_default = 0 WHERE site_id = ? AND member_id = ? AND seq = ?",
        site_id, member_id, card.seq,
    )  # fmt: skip
