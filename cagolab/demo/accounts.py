"""The logins of the demo, one per role. Printed at the start; production has none of them."""

from __future__ import annotations

# (user name, password, role of cagolab.roles.ROLES)
DEMO_USERS: tuple[tuple[str, str, str], ...] = (
    ("miru", "demo-miru-2468", "閲覧"),
    ("henshu", "demo-henshu-2468", "受注編集"),
    ("kessai", "demo-kessai-2468", "決済操作"),
    ("kanri", "demo-kanri-2468", "管理者"),
)
