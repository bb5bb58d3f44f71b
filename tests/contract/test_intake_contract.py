"""What every Intake promises: each of many exports has an outcome of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from memberships_export.adapters.embedded.sqlite_intake import SqliteIntake
from memberships_export.adapters.embedded.sqlite_queue import SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.errors import RateLimited
from memberships_export.domain.export.rate import Turn
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.options import Options
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.new_export import NewExport, TakenIn
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import ExportQueue, ExportStore, Intake
from memberships_export.service.user.record_then_message import RecordThenMessage
from tests.contract.conftest import MAX_RECEIVES, QUEUES, STORES, VISIBILITY, Place, time_of
from tests.contract.test_store_contract import at_once
from tests.factories import REQUESTED_AT, an_export


@dataclass(frozen=True)
class Taking:
    """An intake, and where it puts things."""

    intake: Intake
    store: ExportStore
    queue: ExportQueue

    def messages(self) -> Sequence[str]:
        """Take all messages that wait, and name their exports."""
        received = iter(lambda: self.queue.receive(0), None)
        return sorted(one.message.attributes["exportId"] for one in received)


def embedded(place: Place) -> Taking:
    store = SqliteExportStore(place.database, place.clock)
    queue = SqliteExportQueue(place.database, place.clock, VISIBILITY, MAX_RECEIVES)
    return Taking(SqliteIntake(place.database, store, queue), store, queue)


def two_writes(name: str, place: Place) -> Taking:
    store, queue = STORES[name](place), QUEUES[name](place).queue
    return Taking(RecordThenMessage(store, queue), store, queue)


@pytest.fixture(params=["memory", "embedded", "aws"])
def taking(request: pytest.FixtureRequest, place: Place) -> Iterator[Taking]:
    if request.param == "embedded":
        yield embedded(place)
    elif request.param == "memory":
        yield two_writes("memory", place)
    else:
        with time_of(place):
            yield two_writes("aws", place)


def new(user_id: str, export_id: str = "", *, limit: int = 10, message: Message | None = None) -> NewExport:
    export = an_export(
        export_id=export_id or f"of-{user_id}", user_id=user_id, revision=f"made-for-{user_id}-{export_id}"
    )
    return NewExport(export, Turn(user_id, REQUESTED_AT, limit), message or wake_message(export))


def taken(outcome: TakenIn | Exception) -> Export:
    assert isinstance(outcome, TakenIn), outcome
    assert outcome.unsent is None
    return outcome.export


def test_all_are_stored_as_they_were_handed_over_and_their_messages_wait(taking: Taking) -> None:
    asked = [new(f"user-{number}") for number in range(5)]

    outcomes = taking.intake.take_in(asked)

    assert [taken(outcome) for outcome in outcomes] == [one.export for one in asked]
    assert [taking.store.get(one.export.export_id) for one in asked] == [one.export for one in asked]
    assert taking.messages() == sorted(one.export.export_id for one in asked)


def test_nothing_is_taken_in_of_nothing(taking: Taking) -> None:
    assert list(taking.intake.take_in([])) == []


def test_of_twins_that_come_together_the_first_is_stored_and_answers_both(taking: Taking) -> None:
    first, second = new("user-1", "first", limit=1), new("user-1", "second", limit=1)

    outcomes = taking.intake.take_in([first, second])

    assert [taken(outcome) for outcome in outcomes] == [first.export, first.export]
    assert taking.store.get("second") is None
    assert taking.messages() == ["first"]


def test_an_export_under_way_answers_and_takes_neither_turn_nor_message(taking: Taking) -> None:
    under_way = taking.store.create(an_export())
    asked = new("user-1", "second", limit=1)

    assert taken(taking.intake.take_in([asked])[0]) == under_way
    assert taking.messages() == []
    taking.store.take_turn(Turn("user-1", REQUESTED_AT, 1))


def test_whoever_has_no_turn_left_is_refused_alone(taking: Taking) -> None:
    taking.store.take_turn(Turn("user-2", REQUESTED_AT, 1))
    asked = [new(f"user-{number}", limit=1) for number in (1, 2, 3)]

    first, second, third = taking.intake.take_in(asked)

    assert (taken(first), taken(third)) == (asked[0].export, asked[2].export)
    assert isinstance(second, RateLimited)
    assert taking.store.get("of-user-2") is None
    assert taking.messages() == ["of-user-1", "of-user-3"]


def test_one_that_cannot_be_written_fails_alone(taking: Taking) -> None:
    no_message = Message("x" * 2_000_000, {"exportId": "of-user-2"})
    asked = [new("user-1"), new("user-2", message=no_message), new("user-3")]

    first, second, third = taking.intake.take_in(asked)

    assert (taken(first), taken(third)) == (asked[0].export, asked[2].export)
    assert isinstance(second, ValueError)
    assert taking.messages() == ["of-user-1", "of-user-3"]


def test_however_many_ask_together_no_turn_is_taken_twice(taking: Taking) -> None:
    def ask(number: int) -> int:
        names = [f"{number}-{one}" for one in range(3)]
        asked = [replace(new("user-1", name, limit=3), export=with_column(name)) for name in names]
        return sum(isinstance(outcome, TakenIn) for outcome in taking.intake.take_in(asked))

    def with_column(name: str) -> Export:
        return an_export(export_id=name, options=Options(columns=(name,)), revision=name)

    assert sum(at_once(ask)) == 3
