"""AlertNotes in SQLite: the table alerts.

It has a row for each kind and for each occurrence that was told, and one for each kind that is being told.
"""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from memberships_export.adapters.embedded.database import Database
from memberships_export.service.operator.alerts import Alert, within

_KEPT = timedelta(days=100)  # longer than a letter lies unnoticed
_LONGEST = timedelta(minutes=2)  # longer than all alarms of one alert together
_KNOWN = "SELECT 1 FROM alerts WHERE key = ?"
_AT = "SELECT at FROM alerts WHERE key = ?"
_NOTE = "INSERT OR REPLACE INTO alerts (key, at) VALUES (?, ?)"
_FORGET = "DELETE FROM alerts WHERE key = ?"
_FORGET_OLD = "DELETE FROM alerts WHERE at < ?"


class SqliteAlertNotes:
    """The alerts of one machine."""

    def __init__(self, database: Database) -> None:
        """`database`: the one of the records."""
        self._database = database

    def unseen(self, occurrences: Sequence[str]) -> Sequence[str]:
        """Look up each of them; there are few."""
        return [one for one in occurrences if not self._database.read(_KNOWN, [_once(one)])]

    def claim(self, alert: Alert, now: datetime, quiet: timedelta) -> bool:
        """Decide and note in one transaction: another process waits for it."""
        with self._database.transaction() as connection:
            if within(_noted(connection, _in_hand(alert)), now, _LONGEST):
                return False
            if within(_noted(connection, _kind(alert)), now, quiet):
                return False
            known = [connection.execute(_KNOWN, [_once(one)]).fetchone() for one in alert.occurrences]
            if known and all(known):
                return False
            connection.execute(_NOTE, [_in_hand(alert), now.timestamp()])
        return True

    def told(self, alert: Alert, now: datetime) -> None:
        """Note the kind and what it was made of, and let it go."""
        keys = [_kind(alert), *map(_once, alert.occurrences)]
        with self._database.transaction() as connection:
            connection.executemany(_NOTE, [(key, now.timestamp()) for key in keys])
            connection.execute(_FORGET, [_in_hand(alert)])
            connection.execute(_FORGET_OLD, [(now - _KEPT).timestamp()])

    def give_back(self, alert: Alert) -> None:
        """Let it go."""
        with self._database.transaction() as connection:
            connection.execute(_FORGET, [_in_hand(alert)])


def _noted(connection: sqlite3.Connection, key: str) -> datetime | None:
    row = connection.execute(_AT, [key]).fetchone()
    return datetime.fromtimestamp(row["at"], UTC) if row else None


def _in_hand(alert: Alert) -> str:
    return f"in hand {alert.kind}"


def _kind(alert: Alert) -> str:
    return f"kind {alert.kind}"


def _once(occurrence: str) -> str:
    return f"once {occurrence}"
