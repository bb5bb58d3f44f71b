"""The clock of a process, when the clock of the system is set."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from memberships_export.bootstrap.parts import utc_now
from memberships_export.bootstrap.steady_clock import SteadyClock, seconds_passed
from memberships_export.domain.export.record import ExportStatus
from tests.fakes.memory import MemoryQueue
from tests.fakes.world import ACCEPTED, DOUBTFUL, World

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Machine:
    """Its two clocks, and ours over them."""

    def __init__(self) -> None:
        self.wall, self.passed = NOON, 1000.0
        self.clock = SteadyClock(lambda: self.wall, lambda: self.passed)

    def wait(self, seconds: float, times: int = 1) -> datetime:
        for _ in range(times):
            self.passed += seconds
            self.wall += timedelta(seconds=seconds)
            now = self.clock()
        return now

    def set(self, by: timedelta) -> None:
        self.wall += by


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_while_nobody_sets_the_clock_it_is_that_of_the_system(machine: Machine) -> None:
    assert machine.clock() == NOON
    assert machine.wait(3600) == NOON + timedelta(hours=1)
    machine.set(timedelta(milliseconds=20))
    assert machine.wait(1) == machine.wall


@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(hours=-2), timedelta(days=365), timedelta(days=-365)])
def test_a_jump_moves_it_by_nothing_and_a_lease_ends_after_about_its_time(machine: Machine, jump: timedelta) -> None:
    before = machine.clock()
    machine.set(jump)

    assert machine.clock() == before
    after_a_minute = machine.wait(1, times=60)
    assert timedelta(seconds=45) <= after_a_minute - before <= timedelta(seconds=75)


def test_a_process_that_did_not_look_for_a_day_does_not_follow_at_once_either(machine: Machine) -> None:
    before = machine.clock()
    machine.set(timedelta(hours=2))

    passed = machine.wait(86_400) - before

    assert passed - timedelta(days=1) <= timedelta(seconds=15)


@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(hours=-2)])
def test_it_agrees_with_the_system_again_in_the_end(machine: Machine, jump: timedelta) -> None:
    machine.set(jump)

    assert machine.wait(60, times=8 * 60) == machine.wall


def test_it_never_goes_back(machine: Machine) -> None:
    times = []
    for by in (0, 7200, -7200, -86_400, 86_400, 3):
        machine.set(timedelta(seconds=by))
        times += [machine.clock(), machine.wait(0.001), machine.wait(10)]

    assert times == sorted(times)


def test_a_jump_is_told_once_and_the_next_one_again(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    machine.set(timedelta(hours=2))
    machine.wait(1, times=10)
    machine.set(timedelta(hours=-2))
    machine.wait(10, times=10)
    machine.set(timedelta(seconds=-60))
    machine.wait(1, times=10)

    told = [record.getMessage().partition(" reason")[0] for record in caplog.records]
    assert told == ["seconds=7200 event=clock_jumped", "seconds=-60 event=clock_jumped"]


def test_no_wait_for_evidence_is_over_because_the_clock_was_set(machine: Machine) -> None:
    world = World(1, mails=(DOUBTFUL, ACCEPTED))
    queue = MemoryQueue(machine.clock, world.dead_letters)
    services = world.over(replace(world.ports, clock=machine.clock, queue=queue))
    world.queue, world.services = queue, services
    export = world.request()
    world.work()

    machine.set(timedelta(hours=2))
    for _ in range(10):
        machine.wait(60)
        services.sweep()
        world.work()

    assert len(world.mails) == 1
    assert world.export(export).status is ExportStatus.WAITING


def test_real_clocks_go_on() -> None:
    first = seconds_passed()
    clock = SteadyClock(utc_now)

    assert clock() <= clock()
    assert seconds_passed() >= first
