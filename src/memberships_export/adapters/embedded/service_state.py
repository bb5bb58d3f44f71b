"""ServiceState in SQLite: one row while the service is paused."""

from datetime import UTC, datetime

from memberships_export.adapters.embedded.database import Database
from memberships_export.domain.pause import Pause

_PAUSED = "SELECT since, by, reason, drain FROM pause"
_PAUSE = """
    INSERT INTO pause (id, since, by, reason, drain) VALUES (1, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, drain = excluded.drain
"""
_RESUME = "DELETE FROM pause"


class SqliteServiceState:
    """The state of one machine's service, in the table pause."""

    def __init__(self, database: Database) -> None:
        """`database`: the one of the records."""
        self._database = database

    def pause(self, pause: Pause) -> Pause:
        """Write the row; who paused first stays named."""
        with self._database.transaction() as connection:
            connection.execute(_PAUSE, [pause.since.timestamp(), pause.by, pause.reason, pause.drain])
        return self.paused() or pause

    def resume(self) -> Pause | None:
        """Delete the row."""
        known = self.paused()
        with self._database.transaction() as connection:
            connection.execute(_RESUME)
        return known

    def paused(self) -> Pause | None:
        """Read the row."""
        for row in self._database.read(_PAUSED):
            since = datetime.fromtimestamp(row["since"], UTC)
            return Pause(since=since, by=row["by"], reason=row["reason"], drain=bool(row["drain"]))
        return None
