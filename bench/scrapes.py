"""What `/metrics` costs where very many exports wait: the answer by HTTP, and the reading of the gauges beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter

from bench.results import ScrapeRuns
from memberships_export.adapters.embedded.counts import Counts
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.levels import DatabaseLevels
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.bootstrap.metrics_page import MetricsPage
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.export.record import Export, ExportStatus, Trouble
from memberships_export.entrypoints.cli.serve.metrics_port import MetricsPort
from memberships_export.service.metrics import REQUESTED
from rig.loopback import free_port

_NAMES = "PRAGMA table_info(exports)"
_NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"


def measure_scrapes(folder: Path, records: int, processes: int, repeat: int) -> ScrapeRuns:
    """Let so many exports wait, and so many processes count; ask by HTTP, and read the gauges."""
    database = Database(folder / "exports.db")
    _fill(database, records)
    counting = [Counts(folder / "metrics") for _ in range(processes)]
    for counts in counting:
        counts.count(REQUESTED)
    levels = DatabaseLevels(database, utc_now)
    page = MetricsPage(counting[0], levels, folder / "metrics" / "answering.lock")
    readings = [_seconds(page.refresh) for _ in range(max(1, repeat // 10))]
    assert sum(level.value for level in levels() if level.metric.name == "waiting_exports") == records
    with _answering(page) as port:
        answers = [_seconds(lambda: _ask(port, processes)) for _ in range(repeat)]
    database.close()
    return ScrapeRuns(records=records, processes=processes, answers=tuple(answers[1:]), readings=tuple(readings))


def _fill(database: Database, records: int) -> None:
    """Save one export that waits, and copy its row: saved one by one they would take minutes."""
    now = utc_now()
    trouble = Trouble(code="memberships_unavailable", reason="503", since=now, count=1)
    export = Export(export_id="0", user_id="0", email="member@example.org", requested_at=now - timedelta(hours=1))
    SqliteExportStore(database, utc_now).create(replace(export, status=ExportStatus.WAITING, trouble=trouble))
    with database.transaction() as connection:
        names = [row["name"] for row in connection.execute(_NAMES)]
        values = ["n" if name in {"export_id", "user_id"} else name for name in names]
        copy = f"INSERT INTO exports ({', '.join(names)}) SELECT {', '.join(values)} FROM exports, numbers"  # noqa: S608
        connection.execute(f"{_NUMBERS} {copy}", [records - 1])


@contextmanager
def _answering(page: MetricsPage) -> Iterator[int]:
    number = free_port()
    port = MetricsPort(page, "127.0.0.1", number)
    port.start()
    try:
        yield number
    finally:
        port.stop()


def _ask(port: int, requested: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read()
    connection.close()
    assert f"memberships_export_requested_total {requested:.1f}\n".encode() in text


def _seconds(step: Callable[[], None]) -> float:
    begun = perf_counter()
    step()
    return perf_counter() - begun
