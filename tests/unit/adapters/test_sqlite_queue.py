"""What the SQLite queue does beyond the contract: threads, waiting, restarts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from memberships_export.adapters.embedded import bell
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters, SqliteExportQueue
from memberships_export.domain.messages.message import Message, Received
from rig.waiting import PATIENCE_SECONDS, until
from tests.fakes.memory import FakeClock

_INSERT = "INSERT INTO messages (message_id, body, attributes, sent_at, visible_at) VALUES (?, ?, ?, ?, ?)"
VERSION_3 = ("schema.sql", "schema-2.sql", "schema-3.sql")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exports.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(database: Database, clock: FakeClock) -> SqliteExportQueue:
    return a_queue(database, clock)


def a_queue(database: Database, clock: FakeClock | None = None) -> SqliteExportQueue:
    return SqliteExportQueue(database, clock or FakeClock(), timedelta(seconds=30), 5)


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


@pytest.fixture
def nobody_looks_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_LOOK_SECONDS", 10 * PATIENCE_SECONDS)


@pytest.mark.usefixtures("nobody_looks_by_themselves")
def test_receivers_of_several_processes_wake_for_what_another_one_sends(path: Path, database: Database) -> None:
    processes = [a_queue(Database(path)) for _ in range(2)]
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(queue.receive, 10 * PATIENCE_SECONDS) for queue in processes for _ in range(2)]
        until(lambda: len(list(path.with_name("bells").glob("*.bell"))) == 2, "both listen", progress=lambda: None)
        for number in range(4):
            a_queue(database).send(Message(f"{number}"))
        received = [future.result(timeout=PATIENCE_SECONDS) for future in waiting]

    assert sorted(found.message.body for found in received if found) == ["0", "1", "2", "3"]


@pytest.mark.usefixtures("nobody_looks_by_themselves")
def test_a_receiver_wakes_the_next_one_in_case_that_there_is_more(
    path: Path, queue: SqliteExportQueue, database: Database
) -> None:
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(queue.receive, 10 * PATIENCE_SECONDS) for _ in range(3)]
        until(lambda: any(path.with_name("bells").glob("*.bell")), "it listens", progress=lambda: None)
        with database.transaction() as connection:  # several that are announced once
            for name in "ab":
                values = (name, name, "{}", 0, 0)
                connection.execute(_INSERT, values)
        queue.send(Message("c"))
        received = [future.result(timeout=PATIENCE_SECONDS) for future in waiting]

    assert sorted(found.message.body for found in received if found) == ["a", "b", "c"]


def test_a_receiver_gives_up_when_its_time_is_over(queue: SqliteExportQueue) -> None:
    assert queue.receive(0.01) is None


def of_export(name: str, body: str = "{}") -> Message:
    return Message(body, {"userId": "user-1", "email": "member@example.org", "exportId": name})


def test_a_second_message_of_an_export_takes_the_place_of_the_first(queue: SqliteExportQueue) -> None:
    for body in ("old", "new"):
        queue.send(of_export("e-1", body))
        queue.send(of_export("e-2", body))

    bodies = [received.message.body for received in iter(lambda: queue.receive(0), None)]

    assert bodies == ["new", "new"]


def test_a_message_that_is_sent_again_keeps_its_turn(queue: SqliteExportQueue, clock: FakeClock) -> None:
    queue.send(of_export("e-1"))
    clock.advance(timedelta(seconds=1))
    queue.send(of_export("e-2"))
    queue.send(of_export("e-1"))

    received = queue.receive(0)

    assert received
    assert received.message.attributes["exportId"] == "e-1"


def test_a_message_in_hand_that_is_sent_again_is_there_for_the_next_and_no_more_for_its_holder(
    queue: SqliteExportQueue,
) -> None:
    queue.send(of_export("e-1"))
    in_hand = queue.receive(0)
    assert in_hand

    queue.send(of_export("e-1"))
    queue.acknowledge(in_hand)
    queue.give_back(in_hand, 60)

    again = queue.receive(0)
    assert again
    assert (again.receive_count, again.message_id) == (1, in_hand.message_id)
    assert queue.receive(0) is None


def test_plain_messages_are_as_many_as_were_sent(queue: SqliteExportQueue) -> None:
    for _ in range(3):
        queue.send(Message("plain", {"userId": "user-1"}))

    assert len(list(iter(lambda: queue.receive(0), None))) == 3


def test_of_several_messages_that_an_older_version_left_the_one_whose_turn_comes_first_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("memberships_export.adapters.embedded.database._SCHEMA", VERSION_3)
        old = Database(path)
        send = "INSERT INTO messages (message_id, body, attributes, sent_at, visible_at) VALUES (?, ?, ?, 0, ?)"
        with old.transaction() as connection:
            for number, (export_id, visible_at) in enumerate([("e-1", 9), ("e-1", 5), ("e-2", 7), ("e-1", 8)]):
                connection.execute(send, [str(number), "{}", f'{{"exportId": "{export_id}"}}', visible_at])
            connection.execute(send, ["plain", "{}", "{}", 6])
            connection.execute(send, ["by hand", "{}", "not JSON", 6])
        old.close()

    database = Database(path)

    rows = database.read("SELECT message_id, export_id FROM messages ORDER BY sequence")
    database.close()
    assert [tuple(row) for row in rows] == [("1", "e-1"), ("2", "e-2"), ("plain", None), ("by hand", None)]


@pytest.mark.parametrize("column", ["body", "attributes"])
@pytest.mark.parametrize(
    "content", ["ff7b", "7b", "5b315d", "7b2261223a317d"], ids=["no UTF-8", "cut", "list", "number"]
)
def test_a_message_or_letter_that_is_damaged_keeps_no_other_from_being_read(
    database: Database, queue: SqliteExportQueue, column: str, content: str
) -> None:
    letters = SqliteDeadLetters(database, FakeClock())
    for _ in range(2):
        queue.send(Message("well", {"userId": "user-1"}))
        letters.add(Message("well", {"userId": "user-1"}))
    with database.transaction() as connection:
        for table in ("messages", "dead_letters"):
            connection.execute(
                f"UPDATE {table} SET {column} = CAST(x'{content}' AS TEXT) "  # noqa: S608  (ours)
                f"WHERE sequence = (SELECT min(sequence) FROM {table})"
            )

    received = [queue.receive(0), queue.receive(0)]

    assert [one.message == Message("well", {"userId": "user-1"}) for one in received if one] == [False, True]
    assert [one.message.body == "well" or column == "body" for one in letters.browse(10)] == [True, True]
    assert len(letters.browse(10)) == 2
    assert letters.discard(lambda one: one.message == Message("well", {"userId": "user-1"})) == 1
    for letter in letters.browse(10):
        with letters.removing() as remove:
            remove(letter)
    assert not letters.browse(10)
