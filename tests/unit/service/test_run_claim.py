"""Who may work on an export: one worker at a time, and none for ever."""

from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import (
    MembershipsUnavailable,
)
from memberships_export.domain.export.record import Export, ExportStatus, Lease
from memberships_export.domain.messages.message import Received
from memberships_export.service.worker.run import Acknowledge, Disposition, GiveBack
from tests.factories import a_membership
from tests.fakes.memory import ListSource
from tests.fakes.world import World

ROWS = [a_membership(n + 1) for n in range(7)]


def held_by_another(world: World, stalled_claims: int = 1) -> tuple[Export, Received]:
    export = world.request()
    lease = Lease(owner="other", until=world.clock() + timedelta(seconds=90))
    running = replace(
        export, status=ExportStatus.RUNNING, token=1, claims=1, lease=lease, stalled_claims=stalled_claims
    )
    stored = world.store.replace(export, running)
    received = world.queue.receive(0)
    assert stored is not None
    assert received is not None
    return stored, received


def test_a_message_that_finds_a_live_lease_is_given_back_for_later() -> None:
    world = World()
    _, received = held_by_another(world)
    assert world.services.run(received, lambda: False) == GiveBack(90.0)
    assert not world.mails


def test_a_live_lease_never_costs_a_message_its_last_receive() -> None:
    world = World()
    _, received = held_by_another(world)
    assert world.services.run(replace(received, receive_count=4), lambda: False) == Acknowledge()


def test_a_lease_that_ran_out_is_taken_over_under_a_higher_token() -> None:
    world = World()
    export, received = held_by_another(world)
    world.clock.advance(timedelta(seconds=91))
    world.services.run(received, lambda: False)
    assert world.export(export).token == 2
    assert world.export(export).status is ExportStatus.COMPLETED


def test_after_five_claims_without_progress_the_export_fails_and_is_a_dead_letter() -> None:
    world = World()
    export, received = held_by_another(world, stalled_claims=5)
    world.clock.advance(timedelta(seconds=91))
    world.services.run(received, lambda: False)
    failed = world.export(export)
    assert failed.failure is not None
    assert (failed.status, failed.failure.code) == (ExportStatus.FAILED, "no_progress")
    assert len(world.dead_letters.letters) == 1


def test_an_early_message_for_a_waiting_export_is_given_back() -> None:
    world = World(source=ListSource(ROWS, {1: MembershipsUnavailable()}))
    export = world.request()
    world.queue.duplicate()
    world.work()
    assert world.export(export).status is ExportStatus.WAITING
    assert len(world.source.calls) == 1


@pytest.mark.parametrize(
    "receive_count, answer",
    [(1, GiveBack(90.0)), (3, GiveBack(90.0)), (4, Acknowledge()), (5, Acknowledge())],
)
def test_a_message_is_given_back_until_one_receive_is_left(receive_count: int, answer: Disposition) -> None:
    world = World(max_receives=5)
    _, received = held_by_another(world)
    assert world.services.run(replace(received, receive_count=receive_count), lambda: False) == answer


@pytest.mark.parametrize("left, seconds", [(0.2, 1.0), (1.0, 1.0), (1.5, 1.5)])
def test_a_message_comes_back_when_the_lease_ends_but_not_at_once(left: float, seconds: float) -> None:
    world = World()
    _, received = held_by_another(world)
    world.clock.advance(timedelta(seconds=90 - left))
    assert world.services.run(received, lambda: False) == GiveBack(seconds)
