"""AlertNotes in SQLite: the table alerts, with a row for each kind and for each occurrence that was told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from memberships_export.adapters.embedded.database import Database
from memberships_export.service.operator.alerts import Alert, within

_KEPT = timedelta(days=100)  # longer than a letter lies unnoticed
_KNOWN = "SELECT 1 FROM alerts WHERE key = ?"
_KIND = "SELECT at FROM alerts WHERE key = ?"
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
            row = connection.execute(_KIND, [_kind(alert)]).fetchone()
            if within(datetime.fromtimestamp(row["at"], UTC) if row else None, now, quiet):
                return False
            known = [connection.execute(_KNOWN, [_once(one)]).fetchone() for one in alert.occurrences]
            if known and all(known):
                return False
            connection.executemany(_NOTE, [(key, now.timestamp()) for key in _keys(alert)])
            connection.execute(_FORGET_OLD, [(now - _KEPT).timestamp()])
        return True

    def give_back(self, alert: Alert) -> None:
        """Forget the kind and what it was made of."""
        with self._database.transaction() as connection:
            connection.executemany(_FORGET, [(key,) for key in _keys(alert)])


def _keys(alert: Alert) -> list[str]:
    return [_kind(alert), *map(_once, alert.occurrences)]


def _kind(alert: Alert) -> str:
    return f"kind {alert.kind}"


def _once(occurrence: str) -> str:
    return f"once {occurrence}"
