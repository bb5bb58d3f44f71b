"""What can happen to the database of one machine, and what the operator reads then."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from pathlib import Path
from threading import Barrier, Thread

import msgspec
import pytest

from memberships_export.adapters import embedded
from memberships_export.adapters.embedded.database import SCHEMA_VERSION, Database
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.adapters.embedded.turns import Head
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.formats.options import Preset, of_preset
from memberships_export.domain.messages.message import Message
from tests.factories import REQUESTED_AT, an_export
from tests.fakes.broken_disk import files_end_at, not_allowed
from tests.fakes.memory import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "exports.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path, busy_timeout=timedelta(milliseconds=20))
    yield database
    database.close()


@pytest.fixture
def store(database: Database) -> SqliteExportStore:
    return SqliteExportStore(database, FakeClock())


@pytest.mark.parametrize("name", ["exports.db", "data/exports.db"])
def test_a_database_that_may_not_be_made_names_the_path_and_the_fix(tmp_path: Path, name: str) -> None:
    database = Database(tmp_path / name)

    with not_allowed(tmp_path), pytest.raises(StorageUnavailable, match=r"exports\.db.* write permission"):
        database.read("SELECT 1")


def test_a_read_only_database_names_the_path_and_the_fix(store: SqliteExportStore, database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("PRAGMA query_only = ON")  # the next user of this connection meets SQLITE_READONLY

    with pytest.raises(StorageUnavailable, match=r"exports\.db.*readonly.*write permission"):
        store.create(an_export())


def test_a_file_where_the_data_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")

    with pytest.raises(StorageUnavailable, match=r"exports\.db .*(Not a directory|File exists)"):
        Database(tmp_path / "data" / "exports.db").read("SELECT 1")


def test_a_file_that_is_no_database_is_left_alone_and_named(path: Path, database: Database) -> None:
    path.parent.mkdir()
    path.write_bytes(b"precious notes " * 1000)

    with pytest.raises(StorageUnavailable, match=r"exports\.db.*not a database.*move it away"):
        database.read("SELECT 1")

    assert path.read_bytes() == b"precious notes " * 1000


@pytest.mark.parametrize("document", ["{", "{}", '{"status": "frozen"}', "[]"])
def test_a_record_that_cannot_be_read_hides_no_other_and_is_logged_by_its_id(
    store: SqliteExportStore, database: Database, document: str, caplog: pytest.LogCaptureFixture
) -> None:
    exports = [store.create(an_export(options=of_preset(preset))) for preset in Preset]
    odd = store.create(an_export(user_id="user-2", requested_at=REQUESTED_AT - timedelta(hours=1)))
    with database.transaction() as connection:
        connection.execute(
            "UPDATE exports SET user_id = 'user-1', unfinished = 0, wake_at = 1, document = ? WHERE export_id = ?",
            [document, odd.export_id],
        )
    due = store.due(REQUESTED_AT + timedelta(hours=1), 10)
    assert {export.export_id for export in due} == {export.export_id for export in exports}
    assert len(store.list_for_user("user-1", 10)) == len(exports)
    assert f"export={odd.export_id} event=unreadable_record" in caplog.text


def test_a_database_of_a_newer_version_is_refused(path: Path, database: Database) -> None:
    path.parent.mkdir()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()

    with pytest.raises(StorageUnavailable, match=r"exports\.db has schema 99 .* up to"):
        database.read("SELECT 1")


def test_a_command_does_not_take_over_the_database_of_an_older_service(path: Path) -> None:
    path.parent.mkdir()
    older = sqlite3.connect(path)
    older.execute("PRAGMA user_version = 6")
    older.close()

    careful = Database(path, may_upgrade=False)
    with pytest.raises(StorageUnavailable, match=r"schema 6 .* older version.*start the service"):
        careful.read("SELECT 1")
    careful.close()
    with closing(sqlite3.connect(path)) as looked:
        assert looked.execute("PRAGMA user_version").fetchone() == (6,)


def test_a_database_of_the_first_version_is_taken_over_with_its_records(path: Path, store: SqliteExportStore) -> None:
    path.parent.mkdir()
    schema = resources.files(embedded).joinpath("schema.sql").read_text(encoding="utf-8")
    first = sqlite3.connect(path)
    first.executescript(schema)
    export = an_export()
    first.execute(
        "INSERT INTO exports VALUES (?, ?, ?, 1, ?, NULL, '1', ?)",
        [export.export_id, export.user_id, "spreadsheet", 0.0, msgspec.json.encode(export).decode()],
    )
    first.commit()
    first.close()

    assert store.get(export.export_id) == export
    assert store.create(replace(export, export_id="another")).export_id == export.export_id


def test_a_database_that_another_process_holds_is_named_after_the_busy_timeout(
    path: Path, store: SqliteExportStore
) -> None:
    export = store.create(an_export())
    other = Database(path)
    with other.transaction():
        with pytest.raises(StorageUnavailable, match=r"exports\.db.*locked.*another process"):
            store.replace(export, replace(export, nudges=1))
        assert store.get(export.export_id) == export  # reading waits for nobody
    other.close()

    assert store.replace(export, replace(export, nudges=1)) is not None


def test_a_full_database_changes_nothing_and_works_again_when_there_is_space(
    database: Database, store: SqliteExportStore
) -> None:
    with database.transaction() as connection:
        connection.execute("PRAGMA max_page_count = 1")  # SQLite raises it to the pages there are

    with pytest.raises(StorageUnavailable, match=r"exports\.db.*full.*free some space"):
        store.create(an_export(email="x" * 100_000))

    assert store.list_for_user("user-1", 10) == []
    assert store.create(an_export(email="x" * 100_000)).revision


def test_a_failing_disk_write_changes_nothing(store: SqliteExportStore) -> None:
    export = store.create(an_export())

    with files_end_at(4096), pytest.raises(StorageUnavailable, match=r"exports\.db.*disk"):
        store.replace(export, replace(export, nudges=1))

    assert store.get(export.export_id) == export
    assert store.replace(export, replace(export, nudges=1)) is not None


def test_a_disk_that_fails_at_any_write_leaves_the_last_committed_record(tmp_path: Path) -> None:
    failures = 0
    for size in range(0, 100_000, 4096):
        database = Database(tmp_path / f"{size}" / "exports.db")
        store = SqliteExportStore(database, FakeClock())
        committed = store.create(an_export())
        database.close()
        try:
            with files_end_at(size):
                for nudges in range(3):
                    committed = store.replace(committed, replace(committed, nudges=nudges)) or committed
        except StorageUnavailable:
            failures += 1
        assert store.get(committed.export_id) == committed
        database.close()

    assert 5 < failures < 25  # both outcomes were seen


def test_where_a_request_finds_no_room_the_check_finds_none_either(tmp_path: Path) -> None:
    outcomes = set()
    for size in range(0, 400_000, 4096):
        database = Database(tmp_path / f"{size}" / "exports.db")
        store = SqliteExportStore(database, FakeClock())
        store.check()
        other = Database(tmp_path / f"{size}" / "exports.db")  # the last connection would tidy up when it is closed
        other.read("SELECT 1")
        with files_end_at(size):
            accepted = succeeds(lambda: store.create(an_export()))  # noqa: B023  (called at once)
            outcomes.add((accepted, succeeds(store.check)))
        store.check()
        database.close()
        other.close()

    assert outcomes == {(False, False), (True, False), (True, True)}


def test_a_read_only_database_does_not_pass_the_check(store: SqliteExportStore, database: Database) -> None:
    store.check()
    with database.transaction() as connection:
        connection.execute("PRAGMA query_only = ON")

    with pytest.raises(StorageUnavailable, match="write permission"):
        store.check()


def succeeds(work: Callable[[], object]) -> bool:
    try:
        work()
    except StorageUnavailable:
        return False
    return True


def test_checking_again_and_again_takes_no_more_room(database: Database, store: SqliteExportStore) -> None:
    store.check()
    pages = database.read("PRAGMA page_count")[0][0]
    for _ in range(100):
        store.check()
    assert database.read("PRAGMA page_count")[0][0] <= pages + 20


def test_an_error_inside_a_transaction_undoes_all_of_it(database: Database, store: SqliteExportStore) -> None:
    store.create(an_export())

    def delete_and_fail() -> None:
        with database.transaction() as connection:
            connection.execute("DELETE FROM exports")
            raise KeyError

    with pytest.raises(KeyError):
        delete_and_fail()

    assert len(store.list_for_user("user-1", 10)) == 1


def test_a_wrong_statement_stays_an_error_of_the_program(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        database.read("SELECT * FROM missing")


def test_commits_wait_for_the_disk(database: Database) -> None:
    assert database.read("PRAGMA journal_mode")[0][0] == "wal"
    assert database.read("PRAGMA synchronous")[0][0] == 2  # FULL


def test_whoever_opens_a_new_database_waits_while_another_process_makes_it(path: Path) -> None:
    path.parent.mkdir()
    database, head = Database(path), Head(path.with_name("exports.db-turn"))
    opener = Thread(target=database.read, args=["SELECT 1"])

    with head.taken(until=0.0):
        opener.start()
        opener.join(timeout=0.2)
        waits = opener.is_alive()
    opener.join()

    assert waits
    assert database.read("PRAGMA user_version")[0][0] == SCHEMA_VERSION
    database.close()
    head.close()


def test_all_who_open_a_new_database_at_once_share_it(tmp_path: Path) -> None:
    openers = 4
    barrier = Barrier(openers)

    def add(path: Path) -> None:
        database = Database(path)
        barrier.wait()
        SqliteDeadLetters(database, FakeClock()).add(Message("letter"))
        database.close()

    for path in [tmp_path / f"{number}" / "exports.db" for number in range(3)]:
        with ThreadPoolExecutor(openers) as pool:
            for future in [pool.submit(add, path) for _ in range(openers)]:
                future.result()
        database = Database(path)
        assert SqliteDeadLetters(database, FakeClock()).purge() == openers
        database.close()
