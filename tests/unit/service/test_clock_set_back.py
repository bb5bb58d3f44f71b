"""The clock of the machine was set back by two hours while nothing ran: no export stands still for two hours."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.machine import EmbeddedMachine
from memberships_export.adapters.embedded.sqlite_queue import SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.errors import MembershipsUnavailable
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.service.user.request import Wish
from memberships_export.service.worker.run import GiveBack
from tests.factories import a_membership
from tests.fakes.memory import ListSource
from tests.fakes.world import ACCEPTED, DOUBTFUL, World

TWO_HOURS = timedelta(hours=2)


class OneMachine:
    """The world on a real database, which one process after the other opens."""

    def __init__(self, folder: Path, world: World) -> None:
        self.world, self.database = world, Database(folder / "exports.db")
        self.store = SqliteExportStore(self.database, world.clock)
        self.queue = SqliteExportQueue(self.database, world.clock, timedelta(minutes=5), 5)
        self.machine = EmbeddedMachine(folder / "processes", self.database)
        ports = replace(world.ports, store=self.store, queue=self.queue, machine=self.machine)
        self.services = world.over(ports)

    def request(self) -> str:
        return self.services.request(Wish(user_id="user-1", email="member@example.org")).export.export_id

    def export(self, export_id: str) -> Export:
        found = self.store.get(export_id)
        assert found
        return found

    def work(self) -> None:
        while received := self.queue.receive(0):
            disposition = self.services.run(received, lambda: False)
            if isinstance(disposition, GiveBack):
                self.queue.give_back(received, disposition.delay_seconds)
            else:
                self.queue.acknowledge(received)

    def pass_time(self, by: timedelta) -> None:
        self.world.clock.advance(by)
        self.services.sweep()
        self.work()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def on(folder: Path, world: World, request: pytest.FixtureRequest) -> OneMachine:
    machine = OneMachine(folder, world)
    request.addfinalizer(machine.database.close)
    return machine


def test_what_was_queued_goes_on_with_the_first_pass(folder: Path, request: pytest.FixtureRequest) -> None:
    machine = on(folder, World(), request)
    export_id = machine.request()

    machine.pass_time(-TWO_HOURS)
    machine.pass_time(timedelta(seconds=10))

    assert machine.export(export_id).status is ExportStatus.COMPLETED


@pytest.mark.parametrize("asked, long_before", [(0, timedelta(seconds=0)), (1800, timedelta(minutes=29))])
def test_what_waited_waits_as_long_as_it_was_meant_to(
    folder: Path, request: pytest.FixtureRequest, asked: int, long_before: timedelta
) -> None:
    trouble = MembershipsUnavailable("down", retry_after=asked)
    machine = on(folder, World(source=ListSource([a_membership(1)], {1: trouble})), request)
    export_id = machine.request()
    machine.work()
    waiting = machine.export(export_id)

    machine.pass_time(-TWO_HOURS)
    assert machine.export(export_id).status is ExportStatus.WAITING
    machine.pass_time(long_before)
    assert machine.export(export_id).status is ExportStatus.WAITING
    machine.pass_time(timedelta(minutes=1))

    done = machine.export(export_id)
    assert done.status is ExportStatus.COMPLETED
    assert done.token == waiting.token + 1


def test_evidence_is_waited_for_once_more_and_no_longer(folder: Path, request: pytest.FixtureRequest) -> None:
    world = World(1, mails=(DOUBTFUL, ACCEPTED))
    machine = on(folder, world, request)
    export_id = machine.request()
    machine.work()

    machine.pass_time(-TWO_HOURS)
    machine.pass_time(timedelta(minutes=14))
    assert len(world.mails) == 1
    machine.pass_time(timedelta(minutes=2))

    assert machine.export(export_id).status is ExportStatus.COMPLETED
    assert [mail.intent.rpartition(":")[2] for mail in world.mails] == ["1", "2"]


def test_what_a_living_process_works_on_is_left_to_it(folder: Path, request: pytest.FixtureRequest) -> None:
    world = World()
    machine = on(folder, world, request)
    export_id = machine.request()
    received = machine.queue.receive(0)
    assert received
    seen: list[Export] = []

    def look(*_: object) -> bytes:
        world.clock.advance(-TWO_HOURS)
        OneMachine(folder, world).services.sweep()  # of a process that started since
        seen.append(machine.export(export_id))
        world.clock.advance(TWO_HOURS)
        raise MembershipsUnavailable("down")

    world.source.fetch = look  # type: ignore[method-assign, assignment]
    machine.services.run(received, lambda: False)

    assert seen[0].status is ExportStatus.RUNNING
    assert seen[0].lease
    assert seen[0].lease.until > world.clock()


def test_processes_that_disagree_by_a_little_leave_each_other_in_peace(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    machine = on(folder, World(), request)
    before = machine.export(machine.request())

    machine.world.clock.advance(-timedelta(seconds=30))
    machine.services.sweep()

    assert machine.export(before.export_id) == before
