"""What the SQLite queue does beyond the contract: threads, waiting, restarts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters, SqliteExportQueue
from memberships_export.domain.messages.message import Message, Received
from rig.waiting import PATIENCE_SECONDS
from tests.fakes.memory import FakeClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exports.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
def queue(database: Database) -> SqliteExportQueue:
    return a_queue(database)


def a_queue(database: Database) -> SqliteExportQueue:
    return SqliteExportQueue(database, FakeClock(), timedelta(seconds=30), 5)


def test_a_new_process_finds_what_an_earlier_one_committed(
    path: Path, database: Database, queue: SqliteExportQueue
) -> None:
    queue.send(Message("wake"))
    SqliteDeadLetters(database, FakeClock()).add(Message("letter"))
    database.close()

    again = Database(path)

    received = a_queue(again).receive(0)
    assert received is not None
    assert received.message == Message("wake")
    assert [letter.message.body for letter in SqliteDeadLetters(again, FakeClock()).browse(10)] == ["letter"]
    again.close()


def test_many_receivers_at_once_never_get_the_same_message(queue: SqliteExportQueue) -> None:
    for number in range(40):
        queue.send(Message(f"{number}"))
    barrier = Barrier(4)

    def drain() -> list[str]:
        barrier.wait()
        return [received.message.body for received in iter(lambda: queue.receive(0), None)]

    with ThreadPoolExecutor(4) as pool:
        taken = [body for future in [pool.submit(drain) for _ in range(4)] for body in future.result()]

    assert sorted(map(int, taken)) == list(range(40))


def test_a_waiting_receiver_wakes_when_a_message_is_sent(queue: SqliteExportQueue) -> None:
    received: list[Received | None] = []
    started = Event()

    def wait() -> None:
        started.set()
        received.append(queue.receive(10 * PATIENCE_SECONDS))

    receiver = Thread(target=wait)
    receiver.start()
    started.wait()
    queue.send(Message("wake"))
    receiver.join(timeout=PATIENCE_SECONDS)

    assert [found.message.body for found in received if found] == ["wake"]


def test_a_receiver_gives_up_when_its_time_is_over(queue: SqliteExportQueue) -> None:
    assert queue.receive(0.01) is None
