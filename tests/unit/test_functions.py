"""The Lambda functions: the event they get, the answer they give, and the clock they watch."""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import Export, ExportStatus, Lease, Stage
from memberships_export.domain.messages.message import Message, Received
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.entrypoints.aws_lambda.functions import ExportFunction, SweepFunction, log_as
from memberships_export.logs.formats import LogFormat
from tests.fakes.memory import MemoryStore
from tests.fakes.world import World
from tests.log_lines import read_line


@dataclass
class Context:
    """A Lambda context with so much time left."""

    milliseconds: int = 900_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def record(received: Received) -> dict[str, Any]:
    """The record of an SQS event, as Lambda writes it."""
    attributes = received.message.attributes.items()
    return {
        "messageId": received.message_id,
        "receiptHandle": received.receipt,
        "body": received.message.body,
        "attributes": {
            "ApproximateReceiveCount": str(received.receive_count),
            "SentTimestamp": "1772366400000",
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": "1772366400001",
        },
        "messageAttributes": {
            name: {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}
            for name, value in attributes
        },
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:membership_exports",
        "awsRegion": "eu-central-1",
    }


def event_of(world: World) -> dict[str, Any]:
    records = []
    while received := world.queue.receive(0):
        records.append(record(received))
    return {"Records": records}


def function_over(world: World) -> ExportFunction:
    return ExportFunction(world.services.run, world.queue)


def test_a_message_becomes_a_mail_and_is_done() -> None:
    world = World()
    export = world.request()
    assert function_over(world)(event_of(world), Context()) == {"batchItemFailures": []}
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_plain_message_of_an_existing_api_is_taken() -> None:
    world = World()
    world.queue.send(Message("-", {"userId": "user-1", "email": "plain@example.org"}))
    assert function_over(world)(event_of(world), Context()) == {"batchItemFailures": []}
    assert [mail.to for mail in world.mails] == ["plain@example.org"]


class StoreThatIsAway(MemoryStore):
    away = True

    def get(self, export_id: str, *, expired: bool = False) -> Export | None:
        if self.away:
            raise StorageUnavailable("throttled")
        return super().get(export_id, expired=expired)


def test_a_plain_message_whose_record_cannot_be_reached_comes_back_soon_and_then_ever_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    store = world.store = StoreThatIsAway()
    world.services = world.over(world.ports)
    world.queue.send(Message("-", {"userId": "user-1", "email": "plain@example.org"}))

    for minutes in (1, 10, 90, 360):
        assert function_over(world)(event_of(world), Context())["batchItemFailures"]
        world.clock.advance(timedelta(minutes=minutes, seconds=-1))
        assert world.queue.receive(0) is None
        world.clock.advance(timedelta(seconds=1))

    store.away = False
    assert function_over(world)(event_of(world), Context()) == {"batchItemFailures": []}
    assert [mail.to for mail in world.mails] == ["plain@example.org"]
    assert "event=internal_error" not in caplog.text


def test_after_its_last_receive_a_message_is_left_to_the_queue(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.store = StoreThatIsAway()
    world.services = world.over(world.ports)
    world.queue.send(Message("-", {"userId": "user-1", "email": "plain@example.org"}))
    received = world.queue.receive(0)
    assert received is not None
    fifth = {"Records": [record(replace(received, receive_count=5))]}

    assert function_over(world)(fifth, Context())["batchItemFailures"]

    world.clock.advance(timedelta(minutes=5, seconds=-1))
    assert world.queue.receive(0) is None, "hidden for its visibility timeout of five minutes"
    assert "event=trouble" in caplog.text


class StoreThatFailsFor(MemoryStore):
    def __init__(self, user_id: str, error: Exception) -> None:
        super().__init__()
        self.user_id, self.error = user_id, error

    def replace(self, old: Export, new: Export) -> Export | None:
        if new.user_id == self.user_id:
            raise self.error
        return super().replace(old, new)


@pytest.mark.parametrize("error", [StorageUnavailable("throttled"), KeyError("a bug")])
def test_of_a_mixed_batch_only_what_failed_comes_back(error: Exception) -> None:
    world = World()
    world.store = StoreThatFailsFor("user-2", error)
    world.services = world.over(world.ports)
    good, failing = world.request(), world.request(user_id="user-2")
    world.queue.send(Message("poison"))
    event = event_of(world)
    answer = function_over(world)(event, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}
    assert world.export(good).status is ExportStatus.COMPLETED
    assert world.export(failing).status is ExportStatus.QUEUED
    assert "not JSON" in world.dead_letters.letters[0].message.attributes["reason"]


def test_what_another_worker_holds_comes_back_when_its_lease_ends() -> None:
    world = World()
    export = world.request()
    lease = Lease("other", world.clock() + timedelta(seconds=70))
    world.store.replace(export, replace(export, status=ExportStatus.RUNNING, token=1, lease=lease))
    event = event_of(world)
    answer = function_over(world)(event, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    world.clock.advance(timedelta(seconds=69))
    assert world.queue.receive(0) is None
    world.clock.advance(timedelta(seconds=1))
    assert world.queue.receive(0) is not None


def test_five_copies_of_a_message_are_one_mail() -> None:
    world = World()
    world.request()
    for _ in range(2):
        world.queue.duplicate()
    function_over(world)(event_of(world), Context())
    assert len(world.mails) == 1


def test_with_three_seconds_left_it_checkpoints_and_requeues_instead_of_being_cut_off() -> None:
    world = World(7)
    export = world.request()
    context = Context(900_000)
    fetch = world.source.fetch

    def slow(call: Call, profile: KnownProfile) -> Answer:
        context.milliseconds = 3_000
        return fetch(call, profile)

    world.source.fetch = slow  # type: ignore[method-assign]
    assert function_over(world)(event_of(world), context) == {"batchItemFailures": []}
    stopped = world.export(export)
    assert (stopped.status, stopped.progress.pages, stopped.lease) == (ExportStatus.QUEUED, 1, None)
    assert len(world.queue.messages) == 2, "the new message; the old one is deleted by Lambda"
    context.milliseconds = 900_000
    world.source.fetch = fetch  # type: ignore[method-assign]
    function_over(world)(event_of(world), context)
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == [None, "3:7", "3:7", "6:7"], "one page was under way"


def test_a_function_with_a_short_limit_still_gets_something_done() -> None:
    world = World(7)
    export = world.request()
    function_over(world)(event_of(world), Context(20_000))
    assert world.export(export).status is ExportStatus.COMPLETED


def test_the_sweep_tells_what_it_did() -> None:
    world = World()
    world.request()
    world.queue.lose_all()
    world.clock.advance(timedelta(minutes=1))
    assert SweepFunction(world.services.sweep)({}, Context()) == {"nudge": 1}
    assert len(world.queue.messages) == 1


def test_a_sweep_stops_before_its_time_is_up() -> None:
    world = World()
    for number in range(3):
        world.request(user_id=f"user-{number}")
    world.queue.lose_all()
    world.clock.advance(timedelta(minutes=1))
    context = Context(300_000)
    send = world.queue.send

    def slow(message: Message, stage: Stage = Stage.FETCH) -> None:
        context.milliseconds = 50_000
        send(message, stage)

    world.queue.send = slow  # type: ignore[method-assign]
    assert SweepFunction(world.services.sweep)({}, context) == {"nudge": 1}


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_function_logs_in_the_format_that_is_set_by_the_handler_of_the_runtime(
    log_format: LogFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = logging.NullHandler()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    log_as(log_format)
    record = logging.LogRecord("ours", logging.INFO, "", 0, "export=%s event=claimed", ("e-1",), None)
    line = handler.format(record)
    assert line.endswith("\n"), "the runtime writes no line ends of its own"
    assert read_line(line.rstrip("\n"))["export"] == "e-1"
    assert line.startswith("{") is (log_format == "json")
