"""The gauges of one machine: what lies in its database, counted. Each query reads an index, or what is unfinished."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from memberships_export.adapters.embedded.database import Database
from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.metric import Level
from memberships_export.ports import Clock
from memberships_export.service.metrics import (
    DEAD_LETTERS,
    OLDEST_UNFINISHED,
    PAUSED,
    QUEUE_AGE,
    QUEUED,
    UNFINISHED,
    WAITING,
)

_UNFINISHED = """
    SELECT status, code AS cause, count(*) AS exports, min(requested_at) AS first
    FROM exports INDEXED BY exports_unfinished WHERE unfinished GROUP BY 1, 2
"""
_QUEUE = "SELECT count(*) AS messages, min(visible_at) AS first FROM messages WHERE visible_at <= ?"
_PAUSED = "SELECT count(*) AS pauses FROM pause"
_LETTERS = "SELECT count(*) AS letters FROM dead_letters"


class DatabaseLevels:
    """Counts what is there now."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """`clock`: that of the store."""
        self._database = database
        self._clock = clock

    def __call__(self) -> Sequence[Level]:
        """Read all gauges. Raises StorageUnavailable."""
        now = self._clock()
        return [*self._unfinished(now), *self._queue(now), *self._letters(), *self._paused()]

    def _unfinished(self, now: datetime) -> Iterator[Level]:
        statuses, causes = dict.fromkeys(UNFINISHED.values, 0), dict.fromkeys(WAITING.shown, 0)
        first = now.timestamp()
        for row in self._database.read(_UNFINISHED):
            status = UNFINISHED.known(row["status"])
            statuses[status] = statuses.get(status, 0) + row["exports"]
            first = min(first, row["first"])
            if status == ExportStatus.WAITING:
                causes[WAITING.known(row["cause"])] += row["exports"]
        yield Level(OLDEST_UNFINISHED, now.timestamp() - first)
        yield from (Level(UNFINISHED, exports, status) for status, exports in statuses.items())
        yield from (Level(WAITING, exports, cause) for cause, exports in causes.items())

    def _queue(self, now: datetime) -> Iterator[Level]:
        (row,) = self._database.read(_QUEUE, [now.timestamp()])
        yield Level(QUEUED, row["messages"])
        yield Level(QUEUE_AGE, now.timestamp() - row["first"] if row["messages"] else 0.0)

    def _letters(self) -> Iterator[Level]:
        (row,) = self._database.read(_LETTERS)
        yield Level(DEAD_LETTERS, row["letters"])

    def _paused(self) -> Iterator[Level]:
        (row,) = self._database.read(_PAUSED)
        yield Level(PAUSED, row["pauses"])
