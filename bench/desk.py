"""What a list of exports costs an operator where there are very many: found, counted, and laid out."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

from bench.results import DeskRuns
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.sqlite_desk import SqliteExportDesk
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.export.document import write_document
from memberships_export.domain.export.finding import Wanted, address_key
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.entrypoints.cli.operate.exports_view import as_table, counts_in_words, rows_of

_EACH = 20  # exports of one user
_SHOWN = 20
_INSERT = """
    INSERT INTO exports (export_id, user_id, options, unfinished, status, requested_at, revision, document)
    VALUES (?, ?, '', 0, 'completed', ?, '1', ?)
"""
_ADDRESS = "INSERT INTO addresses (address, export_id) VALUES (?, ?)"


def measure_desk(folder: Path, exports: int, repeat: int) -> DeskRuns:
    """Save so many exports of many users, and list them in each way."""
    database = Database(folder / "exports.db")
    _fill(database, exports)
    desk = SqliteExportDesk(database)

    def listed(wanted: Wanted) -> Callable[[], None]:
        def step() -> None:
            now = utc_now()
            page, counts = desk.find(wanted, _SHOWN), desk.counts(wanted)
            assert as_table(rows_of(page.exports, now))
            assert counts_in_words(counts, now)

        return step

    ways: Mapping[str, Wanted] = {
        "one user": Wanted(user_id="user-7"),
        "one address": Wanted(address="user-7@example.org"),
        "all": Wanted(),
        "one status of all": Wanted(status=ExportStatus.FAILED),
    }
    seconds = {name: tuple(_seconds(listed(wanted)) for _ in range(repeat)) for name, wanted in ways.items()}
    database.close()
    return DeskRuns(exports=exports, seconds=seconds)


def _fill(database: Database, exports: int) -> None:
    begun = utc_now() - timedelta(days=20)
    made = [_export(number, exports, begun + number * timedelta(seconds=10)) for number in range(exports)]
    rows = [(one.export_id, one.user_id, one.requested_at.timestamp(), write_document(one)) for one in made]
    with database.transaction() as connection:
        connection.executemany(_INSERT, rows)
        connection.executemany(_ADDRESS, [(address_key(one.email), one.export_id) for one in made])


def _export(number: int, exports: int, requested_at: datetime) -> Export:
    user = f"user-{number % max(1, exports // _EACH)}"
    return Export(
        export_id=f"{number * 2654435761 % 2**32:08x}-0000-4000-8000-{number:012x}",
        user_id=user,
        email=f"{user}@example.org",
        requested_at=requested_at,
        status=ExportStatus.COMPLETED,
    )


def _seconds(step: Callable[[], None]) -> float:
    begun = perf_counter()
    step()
    return perf_counter() - begun
