"""What the desk of one machine does beyond the contract: it takes over older records, and reads little."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from memberships_export.adapters import embedded
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.sqlite_desk import SqliteExportDesk
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.export.document import write_document
from memberships_export.domain.export.finding import Wanted
from memberships_export.domain.export.record import Export, ExportStatus, Failure, Stage
from tests.factories import REQUESTED_AT, an_export
from tests.fakes.memory import FakeClock

MANY = 100_000
BEFORE = ("schema.sql", *(f"schema-{number}.sql" for number in range(2, 9)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exports.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


def a_database_before(path: Path, exports: list[Export], *documents: str) -> None:
    """Make a file of the version before, with these records and documents."""
    with closing(sqlite3.connect(path)) as older:
        for script in BEFORE:
            older.executescript(resources.files(embedded).joinpath(script).read_text(encoding="utf-8"))
        rows = [(one.export_id, one.user_id, one.requested_at.timestamp(), write_document(one)) for one in exports]
        rows += [(f"odd-{number}", f"odd-{number}", 0.0, document) for number, document in enumerate(documents)]
        older.executemany(
            "INSERT INTO exports (export_id, user_id, options, unfinished, requested_at, revision, document) "
            "VALUES (?, ?, 'o', 0, ?, '1', ?)",
            rows,
        )
        older.commit()


def test_records_of_the_version_before_are_found_by_everything(path: Path, database: Database) -> None:
    failure = Failure(stage=Stage.FETCH, code="foreign_rows", reason="Why.", at=REQUESTED_AT)
    old = an_export(
        status=ExportStatus.FAILED, failure=failure, email="a@example.org", earlier_emails=("b@example.org",)
    )
    queued = an_export(email="c@example.org", requested_at=REQUESTED_AT - timedelta(days=1))
    a_database_before(path, [old, queued])
    desk = SqliteExportDesk(database)
    for address in ("a@example.org", "b@example.org"):
        assert [one.export_id for one in desk.find(Wanted(address=address), 9).exports] == [old.export_id]
    assert [one.export_id for one in desk.find(Wanted(code="foreign_rows"), 9).exports] == [old.export_id]
    assert [one.export_id for one in desk.find(Wanted(status=ExportStatus.QUEUED), 9).exports] == [queued.export_id]


@pytest.mark.parametrize("document", ["", "nonsense", "[]", "null", '{"email": 5}', '{"earlier_emails": "x"}'])
def test_a_document_that_is_no_record_keeps_no_other_from_being_taken_over(
    path: Path, database: Database, document: str
) -> None:
    export = an_export(status=ExportStatus.COMPLETED)
    a_database_before(path, [export], document)
    desk = SqliteExportDesk(database)
    assert [one.export_id for one in desk.find(Wanted(address=export.email), 9).exports] == [export.export_id]
    assert export.export_id in [one.export_id for one in desk.find(Wanted(), 9).exports]


def test_a_record_that_is_deleted_leaves_no_address_behind(database: Database) -> None:
    store = SqliteExportStore(database, FakeClock())
    store.delete(store.create(an_export()))
    assert database.read("SELECT * FROM addresses") == []


def test_no_address_is_in_the_index_of_addresses(database: Database) -> None:
    SqliteExportStore(database, FakeClock()).create(an_export(email="alice@example.org"))
    (row,) = database.read("SELECT address FROM addresses")
    assert "alice" not in row["address"]


class Counting(Database):
    """Counts the rows that were read."""

    rows = 0

    def read(self, query: str, values: Any = ()) -> list[sqlite3.Row]:  # noqa: ANN401  (as Database has it)
        found = super().read(query, values)
        self.rows += len(found)
        return found


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    """A hundred thousand exports of five thousand users."""
    database = Counting(tmp_path_factory.mktemp("many") / "exports.db")
    document = write_document(an_export(status=ExportStatus.COMPLETED, export_id="00"))
    rows = [(f"{number:032x}", f"user-{number % 5000}", float(number), document) for number in range(MANY)]
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO exports (export_id, user_id, options, unfinished, status, requested_at, revision, document) "
            "VALUES (?, ?, 'o', 0, 'completed', ?, '1', ?)",
            rows,
        )
    yield database
    database.close()


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(status=ExportStatus.COMPLETED),
        Wanted(user_id="user-7"),
        Wanted(code="foreign_rows"),
        Wanted(since=REQUESTED_AT),
        Wanted(prefix="00"),
    ],
)
def test_of_a_hundred_thousand_exports_no_more_are_read_than_were_asked_for(many: Counting, wanted: Wanted) -> None:
    """The counts are rows of a few kinds, so neither memory nor time grows with the documents."""
    many.rows, desk = 0, SqliteExportDesk(many)

    page, counts = desk.find(wanted, 20), desk.counts(wanted)

    assert len(page.exports) <= 20
    assert many.rows <= 21 + 2
    assert sum(count.exports for count in counts.counts) <= MANY


@pytest.mark.parametrize(
    "wanted, index",
    [
        (Wanted(), "COVERING INDEX exports_newest"),
        (Wanted(status=ExportStatus.FAILED, since=REQUESTED_AT), "COVERING INDEX exports_newest"),
        (Wanted(user_id="user-7"), "exports_of_user (user_id=?)"),
        (Wanted(address="a@example.org"), "PRIMARY KEY (address=?)"),
    ],
)
def test_each_way_of_counting_has_its_index(database: Database, wanted: Wanted, index: str) -> None:
    class Explaining(Database):
        plan: list[str]

        def read(self, query: str, values: Any = ()) -> list[sqlite3.Row]:  # noqa: ANN401  (as Database has it)
            self.plan = [row["detail"] for row in database.read(f"EXPLAIN QUERY PLAN {query}", values)]
            return []

    explaining = Explaining(Path("unused"))
    SqliteExportDesk(explaining).counts(wanted)
    assert index in " ".join(explaining.plan)
