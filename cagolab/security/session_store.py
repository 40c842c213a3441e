"""Django's sessions in the database, read by one plain statement: every page asks for its session."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.db import connection
from django.utils import timezone


class SessionStore(db.SessionStore):
    """Differs from Django's in `load` alone, which takes a third of its time."""

    def load(self) -> dict[str, Any]:
        """What the session holds; empty, and the session without a key, when there is none or it is over."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s",
                [self.session_key, timezone.now()],
            )
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        return self.decode(found[0])
