"""SaveMember, UpdateMember, SearchMember, DeleteMember: the members of a site."""

from __future__ import annotations

from gateways.sandbox.gmopg.desk import Desk
from gateways.sandbox.gmopg.fields import Checks
from gateways.sandbox.gmopg.wire import Fields, Parameters, Refused

SCHEMA = """
CREATE TABLE IF NOT EXISTS gmopg_members (
    site_id TEXT NOT NULL, member_id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (site_id, member_id)
) WITHOUT ROWID;
"""
NO_MEMBER = "E01390002"
MEMBER_EXISTS = "E01390010"


def save_member(desk: Desk, parameters: Parameters) -> Fields:
    """A new member."""
    site_id, member_id, name = _read(parameters)
    if exists(desk, site_id, member_id):
        raise Refused(MEMBER_EXISTS)
    desk.house.storage.run("INSERT INTO gmopg_members VALUES (?, ?, ?)", site_id, member_id, name)
    return [("MemberID", member_id)]


def update_member(desk: Desk, parameters: Parameters) -> Fields:
    """Another name."""
    site_id, member_id, name = _read(parameters)
    require(desk, site_id, member_id)
    desk.house.storage.run(
        "UPDATE gmopg_members SET name = ? WHERE site_id = ? AND member_id = ?", name, site_id, member_id
    )
    return [("MemberID", member_id)]


def search_member(desk: Desk, parameters: Parameters) -> Fields:
    """The member's name."""
    site_id, member_id, _ = _read(parameters)
    row = desk.house.storage.row(
        "SELECT name FROM gmopg_members WHERE site_id = ? AND member_id = ?", site_id, member_id
    )
    if row is None:
        raise Refused(NO_MEMBER)
    return [("MemberID", member_id), ("MemberName", row["name"]), ("DeleteFlag", "0")]


def delete_member(desk: Desk, parameters: Parameters) -> Fields:
    """The member goes with all cards."""
    site_id, member_id, _ = _read(parameters)
    require(desk, site_id, member_id)
    for table in ("gmopg_members", "gmopg_cards"):
        desk.house.storage.run(
            f"DELETE FROM {table} WHERE site_id = ? AND member_id = ?",  # noqa: S608 - names are ours
            site_id,
            member_id,
        )
    return [("MemberID", member_id)]


def exists(desk: Desk, site_id: str, member_id: str) -> bool:
    """Whether there is such a member."""
    return (
        desk.house.storage.row(
            "SELECT 1 FROM gmopg_members WHERE site_id = ? AND member_id = ?", site_id, member_id
        )
        is not None
    )


def require(desk: Desk, site_id: str, member_id: str) -> None:
    """Raises Refused when there is no such member."""
    if not exists(desk, site_id, member_id):
        raise Refused(NO_MEMBER)


def _read(parameters: Parameters) -> tuple[str, str, str]:
    checks = Checks(parameters)
    site_id, member_id = checks.site(), checks.member_id()
    name = checks.limited("MemberName", 255, "430012")
    checks.stop_on_errors()
    return site_id, member_id, name
