"""The adapters that must keep the same promises. A further pair is one more line in each table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters, SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.ports import DeadLetters, ExportQueue, ExportStore, FileStore
from tests.fakes.memory import FakeClock, MemoryDeadLetters, MemoryFiles, MemoryQueue, MemoryStore

VISIBILITY = timedelta(seconds=30)
MAX_RECEIVES = 3


@dataclass(frozen=True)
class Place:
    """What an adapter may need to be made."""

    folder: Path
    database: Database
    clock: FakeClock


@dataclass(frozen=True)
class Queues:
    """A queue with its dead letters."""

    queue: ExportQueue
    dead_letters: DeadLetters


def _memory_queues(place: Place) -> Queues:
    dead_letters = MemoryDeadLetters(place.clock)
    return Queues(MemoryQueue(place.clock, dead_letters, VISIBILITY, MAX_RECEIVES), dead_letters)


def _embedded_queues(place: Place) -> Queues:
    queue = SqliteExportQueue(place.database, place.clock, VISIBILITY, MAX_RECEIVES)
    return Queues(queue, SqliteDeadLetters(place.database, place.clock))


STORES: dict[str, Callable[[Place], ExportStore]] = {
    "memory": lambda _: MemoryStore(),
    "embedded": lambda place: SqliteExportStore(place.database),
}
QUEUES: dict[str, Callable[[Place], Queues]] = {
    "memory": _memory_queues,
    "embedded": _embedded_queues,
}
FILES: dict[str, Callable[[Place], FileStore]] = {
    "memory": lambda _: MemoryFiles(),
    "embedded": lambda place: Folder(place.folder / "files"),
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def place(tmp_path: Path, clock: FakeClock) -> Iterator[Place]:
    database = Database(tmp_path / "data" / "exports.db")
    yield Place(tmp_path, database, clock)
    database.close()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, place: Place) -> ExportStore:
    return STORES[request.param](place)


@pytest.fixture(params=QUEUES)
def queues(request: pytest.FixtureRequest, place: Place) -> Queues:
    return QUEUES[request.param](place)


@pytest.fixture
def queue(queues: Queues) -> ExportQueue:
    return queues.queue


@pytest.fixture
def dead_letters(queues: Queues) -> DeadLetters:
    return queues.dead_letters


@pytest.fixture(params=FILES)
def files(request: pytest.FixtureRequest, place: Place) -> FileStore:
    return FILES[request.param](place)
