"""Intake in SQLite: record, turn and message of all exports that are asked for at once are one transaction."""

import sqlite3
from collections.abc import Sequence

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.sqlite_queue import SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.errors import RateLimited, StorageUnavailable, UnreadableRecord
from memberships_export.domain.messages.new_export import NewExport, TakenIn

_MOST = 64  # so that workers do not wait long for their turn to write

Outcome = TakenIn | Exception


class SqliteIntake:
    """All of them wait for the disk once."""

    most = _MOST

    def __init__(self, database: Database, store: SqliteExportStore, queue: SqliteExportQueue) -> None:
        """`database`: that of the store and of the queue, which is one."""
        self._database, self._store, self._queue = database, store, queue

    def take_in(self, new: Sequence[NewExport]) -> Sequence[Outcome]:
        """Take in all of them; where that is not possible, each by itself, so that none suffers for another."""
        try:
            outcomes = self._in_one_write(new)
        except StorageUnavailable as error:
            return [error] * len(new)
        except Exception as error:  # noqa: BLE001  (one of them cannot be written: whoever asked for it is told)
            return [error] if len(new) == 1 else [self.take_in([one])[0] for one in new]
        if any(_is_new(one, outcome) for one, outcome in zip(new, outcomes, strict=True)):
            self._queue.announce()
        return outcomes

    def _in_one_write(self, new: Sequence[NewExport]) -> Sequence[Outcome]:
        with self._database.transaction() as connection:
            return [self._written(connection, one) for one in new]

    def _written(self, connection: sqlite3.Connection, new: NewExport) -> Outcome:
        try:
            stored = self._store.create_within(connection, new.export, new.turn)
        except (RateLimited, UnreadableRecord) as error:  # found before anything of it was written
            return error
        taken = TakenIn(stored)
        if _is_new(new, taken):
            self._queue.send_within(connection, new.message)
        return taken


def _is_new(new: NewExport, outcome: Outcome) -> bool:
    return isinstance(outcome, TakenIn) and outcome.export.revision == new.export.revision
