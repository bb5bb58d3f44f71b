"""What the log says of what hardly ever happens."""

from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import ForeignRows, MembershipsUnavailable, StorageUnavailable
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.messages.message import Message
from tests.factories import a_membership
from tests.fakes.log import Log
from tests.fakes.memory import ListSource, MemoryStore
from tests.fakes.world import World

ROWS = [a_membership(n + 1) for n in range(4)]
A_PASS = "INFO oldest_unfinished_seconds=31 event=sweep"

CLAIMED = "INFO export=ID token=1 stage=fetch event=claimed"
CANCELLED = "INFO export=ID status=cancelled event=cancelled"


def test_an_export_that_is_lost_to_a_cancellation(log: Log) -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    export = world.request()
    source.before[1] = lambda: world.services.cancel(export.export_id, "user-1")
    log.lines()
    world.work()
    assert log.lines() == [
        CLAIMED,
        CANCELLED,
        "INFO export=ID event=stopped reason=Export ID is cancelled meanwhile.",
    ]


@pytest.mark.parametrize("error", [MembershipsUnavailable("down"), ForeignRows("foreign"), KeyError("a bug")])
def test_trouble_of_an_export_that_is_lost_to_a_cancellation(log: Log, error: Exception) -> None:
    source = ListSource(ROWS)
    world = World(source=source)
    export = world.request()

    def cancelled_then_trouble() -> None:
        world.services.cancel(export.export_id, "user-1")
        raise error

    source.before[1] = cancelled_then_trouble
    log.lines()
    world.work()
    bug = ["ERROR export=ID event=internal_error"] * isinstance(error, KeyError)
    assert log.lines() == [
        CLAIMED,
        CANCELLED,
        *bug,
        "INFO export=ID event=stopped reason=Export ID is cancelled meanwhile.",
    ]


def test_an_export_that_got_no_further(log: Log) -> None:
    world = World(ROWS)
    export = world.request()
    assert world.store.replace(export, replace(export, stalled_claims=5))
    log.lines()
    world.work()
    failed = "ERROR export=ID code=no_progress event=failed reason=5 workers in a row got no further at step fetch."
    assert log.lines() == [failed]


def test_an_export_that_is_cancelled_right_when_it_would_fail(log: Log) -> None:
    world = World(ROWS)
    export = world.request()
    assert world.store.replace(export, replace(export, stalled_claims=5))

    class CancelledMeanwhile(MemoryStore):
        def replace(self, old: Export, new: Export) -> Export | None:
            if new.status is ExportStatus.FAILED:
                super().replace(old, replace(old, status=ExportStatus.CANCELLED, wake_at=world.clock()))
            return super().replace(old, new)

    store = CancelledMeanwhile()
    store.records = world.store.records
    world.store = store
    world.services = world.over(world.ports)
    log.lines()
    world.work()
    assert log.lines() == ["INFO export=ID event=stopped reason=Export ID is cancelled: fail is not possible."]


def test_a_failure_that_two_settle_at_once(log: Log) -> None:
    world = World(source=ListSource(ROWS, {1: ForeignRows()}))
    export = world.request()
    stale: list[Export] = []
    add = world.dead_letters.add

    def remember(message: Message) -> None:
        stale.append(world.export(export))
        add(message)

    world.dead_letters.add = remember  # type: ignore[method-assign]
    world.work()
    log.lines()
    world.services.run.settle(stale[0])
    assert log.lines() == ["INFO export=ID event=already_settled reason=Export ID owes no dead_letter any more."]


@pytest.mark.parametrize(
    "error, line, times",
    [
        (StorageUnavailable("locked"), "WARNING export=ID event=not_swept reason=locked", 1),
        (ValueError("a bug"), "ERROR export=ID event=internal_error", 2),
    ],
)
def test_a_sweep_that_cannot_even_put_off_tells_an_outage_once(
    log: Log, error: Exception, line: str, times: int
) -> None:
    world = World(ROWS)
    world.request()
    world.clock.advance(timedelta(seconds=31))

    def broken(*_: object) -> None:
        raise error

    world.store.replace = broken  # type: ignore[method-assign, assignment]
    log.lines()
    world.services.sweep()
    assert log.lines() == [A_PASS, *[line] * times]


def test_a_pass_with_nothing_unfinished_says_nothing_of_ages(log: Log) -> None:
    world = World(ROWS)
    world.request()
    world.work()
    log.lines()
    world.services.sweep()
    assert log.lines() == []
