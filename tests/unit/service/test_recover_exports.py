"""What a process held that died: the next pass takes it, and nothing that a living process holds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.source.exchange import Answer
from tests.fakes.world import World


class FakeMachine:
    """Machine. `mine` is who claims; `dead` is who died."""

    def __init__(self, world: World) -> None:
        self.mine = "process-1"
        self.dead: list[str] = []
        self._store = world.store

    def me(self) -> str:
        return self.mine

    def gone(self) -> Sequence[str]:
        return list(self.dead)

    def held_by(self, process: str) -> Sequence[Export]:
        records = list(self._store.records.values())
        return [export for export in records if export.lease and export.lease.process == process]

    def written_after(self, _moment: datetime) -> Sequence[tuple[Export, datetime]]:
        return []

    def forget(self, process: str) -> None:
        self.dead.remove(process)


class Died(BaseException):
    """Ends a worker in the middle of its work, as SIGKILL does."""


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def machine(world: World) -> FakeMachine:
    machine = FakeMachine(world)
    world.services = world.over(replace(world.ports, machine=machine))
    return machine


def left_by_a_worker_that_dies(world: World) -> Export:
    """Claim an export and die with the first page."""
    export = world.request()

    def die(*_: object) -> Answer:
        raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.source, "fetch", die)
        with pytest.raises(Died):
            world.work_once()
    return world.export(export)


def test_a_claim_names_the_process(world: World, machine: FakeMachine) -> None:
    lease = left_by_a_worker_that_dies(world).lease

    assert lease
    assert lease.process == machine.mine


def test_an_export_whose_process_died_goes_on_with_the_next_pass(world: World, machine: FakeMachine) -> None:
    export = left_by_a_worker_that_dies(world)
    machine.dead, machine.mine = [machine.mine], "process-2"

    world.services.sweep()
    world.work()

    done = world.export(export)
    assert done.status is ExportStatus.COMPLETED
    assert done.finished_at == done.started_at, "no time has passed"
    assert machine.dead == []


def test_an_export_of_a_process_that_lives_is_left_to_it(world: World, machine: FakeMachine) -> None:
    export = left_by_a_worker_that_dies(world)
    machine.dead = ["process-9"]

    world.pass_time(timedelta(seconds=60))

    assert world.export(export) == export


def test_a_process_is_remembered_until_nothing_names_it_any_more(
    world: World, machine: FakeMachine, caplog: pytest.LogCaptureFixture
) -> None:
    export = left_by_a_worker_that_dies(world)
    machine.dead = [machine.mine]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.store, "replace", lambda *_: None)  # somebody else was faster
        world.services.sweep()
    assert machine.dead

    def refuse(*_: object) -> None:
        raise StorageUnavailable

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.store, "replace", refuse)
        world.services.sweep()
    assert machine.dead
    assert "event=not_recovered reason=" + StorageUnavailable().reason in caplog.messages

    world.services.sweep()
    assert not machine.dead
    assert world.export(export).nudges == 1


def test_a_pass_goes_on_when_nobody_can_tell_who_lives(world: World, machine: FakeMachine) -> None:
    export = world.request()
    world.queue.lose_all()
    machine.gone = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]

    world.pass_time(timedelta(seconds=31))

    assert world.export(export).status is ExportStatus.COMPLETED
