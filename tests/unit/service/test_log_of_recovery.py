"""What the log says when a process died, or the clock was set back."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import Export, ExportStatus, Lease
from tests.factories import a_membership
from tests.fakes.log import Log
from tests.fakes.world import World

ROWS = [a_membership(n + 1) for n in range(4)]
A_PASS = "INFO oldest_unfinished_seconds=31 event=sweep"


class OneMachine:
    """Machine. A process died, and one record is of a clock that was ahead; or nobody can tell."""

    def __init__(self, world: World, error: Exception | None = None) -> None:
        self._world, self._error = world, error

    def me(self) -> str:
        return "me"

    def gone(self) -> list[str]:
        if self._error:
            raise self._error
        return ["dead"]

    def held_by(self, _process: str) -> list[Export]:
        return [export for export in self._world.store.records.values() if export.lease]

    def written_after(self, moment: datetime) -> list[tuple[Export, datetime]]:
        ahead = moment + timedelta(hours=2)
        return [(export, ahead) for export in self._world.store.records.values() if not export.lease]

    def forget(self, process: str) -> None:
        assert process == "dead"


def recovering(error: Exception | None = None) -> World:
    """A world with one export that a dead process held, and one that waits."""
    world = World(ROWS)
    held, _ = world.request(), world.request("user-2")
    running = replace(held, status=ExportStatus.RUNNING, token=3, lease=Lease("dead-1", until=world.clock()))
    assert world.store.replace(held, running)
    world.services = world.over(replace(world.ports, machine=OneMachine(world, error)))
    return world


def test_exports_of_a_dead_process_and_of_a_clock_that_was_ahead(log: Log) -> None:
    world = recovering()
    log.lines()
    world.services.sweep()
    assert log.lines()[:2] == [
        "INFO export=ID token=3 event=abandoned",
        "WARNING export=ID seconds=7260 event=brought_forward",
    ]


def test_exports_that_another_was_faster_to_recover(log: Log) -> None:
    world = recovering()
    log.lines()
    world.store.replace = lambda *_: None  # type: ignore[method-assign]
    world.services.sweep()
    assert [line for line in log.lines() if "abandoned" in line or "brought_forward" in line] == []


@pytest.mark.parametrize(
    "error, line",
    [
        (StorageUnavailable("locked"), "WARNING event=not_recovered reason=locked"),
        (ValueError("a bug"), "ERROR event=internal_error"),
    ],
)
def test_a_machine_that_cannot_tell_who_lives(log: Log, error: Exception, line: str) -> None:
    world = recovering(error)
    log.lines()
    world.services.sweep()
    assert log.lines()[0] == line
