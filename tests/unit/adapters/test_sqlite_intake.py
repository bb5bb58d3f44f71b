"""Many exports as one write on one machine: how often it waits for the disk, and what a disk can do to it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.sqlite_intake import SqliteIntake
from memberships_export.adapters.embedded.sqlite_queue import SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.errors import StorageUnavailable, UnreadableRecord
from memberships_export.domain.export.rate import Turn
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.new_export import NewExport, TakenIn
from memberships_export.domain.messages.wake import wake_message
from tests.factories import REQUESTED_AT, an_export
from tests.fakes.broken_disk import files_end_at
from tests.fakes.memory import FakeClock


class CountedDatabase(Database):
    """`writes`: how often somebody was the only writer."""

    writes = 0

    @contextmanager
    def transaction(self, **said: Any) -> Iterator[Any]:  # noqa: ANN401  (as of Database)
        self.writes += 1
        with super().transaction(**said) as connection:
            yield connection


class Taking:
    def __init__(self, path: Path) -> None:
        self.database = CountedDatabase(path, busy_timeout=timedelta(milliseconds=20))
        self.store = SqliteExportStore(self.database, FakeClock())
        self.queue = SqliteExportQueue(self.database, FakeClock(), timedelta(seconds=30), 3)
        self.intake = SqliteIntake(self.database, self.store, self.queue)

    def records(self) -> int:
        return len(self.database.read("SELECT 1 FROM exports"))

    def messages(self) -> int:
        return len(self.database.read("SELECT 1 FROM messages"))

    def turns(self) -> int:
        return len(self.database.read("SELECT 1 FROM turns"))


@pytest.fixture
def taking(tmp_path: Path) -> Iterator[Taking]:
    taking = Taking(tmp_path / "data" / "exports.db")
    taking.intake.take_in([asked("first")])
    taking.database.writes = 0
    with closing(taking.database):
        yield taking


def asked(user_id: str, message: Message | None = None) -> NewExport:
    export = an_export(user_id=user_id, revision=uuid4().hex)
    return NewExport(export, Turn(user_id, REQUESTED_AT, 10), message or wake_message(export))


def test_record_turn_and_message_of_all_are_one_write(taking: Taking) -> None:
    taking.intake.take_in([asked(f"user-{number}") for number in range(20)])

    assert taking.database.writes == 1
    assert (taking.records(), taking.turns(), taking.messages()) == (21, 21, 21)


def test_a_process_that_dies_between_record_and_message_leaves_neither(
    taking: Taking, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """No handler of the code under test may catch this."""

    def dying(*_: object) -> None:
        assert taking.turns() == 1, "what another connection sees"
        raise Killed

    monkeypatch.setattr(taking.queue, "send_within", dying)
    with pytest.raises(Killed):
        taking.intake.take_in([asked("user-1"), asked("user-2")])
    assert (taking.records(), taking.turns(), taking.messages()) == (1, 1, 1)


def test_workers_are_woken_once_for_many_and_not_for_nothing(taking: Taking, monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[str] = []
    monkeypatch.setattr(taking.queue, "announce", lambda: rings.append("ring"))
    taking.intake.take_in([asked("user-1"), asked("user-2")])
    assert rings == ["ring"]
    taking.intake.take_in([asked("user-1"), asked("user-2")])
    assert rings == ["ring"], "both were under way"


def test_one_that_cannot_be_written_leaves_nothing_behind(taking: Taking) -> None:
    no_message = Message("x" * 2_000_000, {"exportId": "bad"})

    outcomes = taking.intake.take_in([asked("user-1"), asked("user-2", no_message), asked("user-3")])

    assert [type(outcome) for outcome in outcomes] == [TakenIn, ValueError, TakenIn]
    assert (taking.records(), taking.turns(), taking.messages()) == (3, 3, 3)


def test_a_damaged_record_is_told_to_its_user_alone(taking: Taking) -> None:
    taking.intake.take_in([asked("user-2")])
    with taking.database.transaction() as connection:
        connection.execute("UPDATE exports SET document = '{' WHERE user_id = 'user-2'")
    taking.database.writes = 0

    outcomes = taking.intake.take_in([asked("user-1"), asked("user-2"), asked("user-3")])

    assert [type(outcome) for outcome in outcomes] == [TakenIn, UnreadableRecord, TakenIn]
    assert taking.database.writes == 1


def test_a_full_disk_is_told_to_all_and_nothing_is_written(taking: Taking, tmp_path: Path) -> None:
    log = tmp_path / "data" / "exports.db-wal"
    with files_end_at(log.stat().st_size):
        outcomes = taking.intake.take_in([asked(f"user-{number}") for number in range(3)])

    assert [type(outcome) for outcome in outcomes] == [StorageUnavailable] * 3
    assert (taking.records(), taking.turns(), taking.messages()) == (1, 1, 1)
    assert all(isinstance(one, TakenIn) for one in taking.intake.take_in([asked("user-1"), asked("user-2")]))


def test_while_another_process_writes_for_too_long_all_are_told_and_none_is_tried_alone(taking: Taking) -> None:
    other = Database(taking.database._path)  # noqa: SLF001  (another process has the same file)
    with closing(other), other.transaction():
        outcomes = taking.intake.take_in([asked(f"user-{number}") for number in range(3)])

    assert [type(outcome) for outcome in outcomes] == [StorageUnavailable] * 3
    assert taking.database.writes == 1
