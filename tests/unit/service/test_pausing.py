"""A paused service accepts, does not work and mails nothing; resumed, it goes on as if nothing had been."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from memberships_export.domain.audit import Action, Actor, Channel, Origin, Outcome
from memberships_export.domain.errors import MembershipsContractBroken, StorageUnavailable
from memberships_export.domain.export.record import ExportStatus, Owed
from memberships_export.domain.messages.message import Message
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.service.auditing import audit_of
from memberships_export.service.operator.pause import PauseService
from tests.factories import a_membership
from tests.fakes.memory import ListSource
from tests.fakes.world import REFUSED_FOR_NOW, World


class SourceWithAStranger(ListSource):
    """Somebody does something while the page with this number is fetched."""

    def __init__(self, page: int, act: Callable[[], object], *, broken: bool = False) -> None:
        super().__init__([a_membership(number + 1) for number in range(7)])
        self._page, self._act, self._broken = page, act, broken

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        answer = super().fetch(call, profile)
        if len(self.calls) == self._page:
            self._act()
            if self._broken:
                raise MembershipsContractBroken
        return answer


OPS = Origin(actor=Actor.OPERATOR, who="ops", channel=Channel.CLI)


def service_of(world: World) -> PauseService:
    return PauseService(state=world.state, audit=audit_of(world.ports), clock=world.clock)


def pause(world: World, *, drain: bool = False) -> None:
    service_of(world).pause(OPS, "The API moves.", drain=drain)


def test_a_paused_service_accepts_and_neither_works_nor_mails() -> None:
    world = World()
    pause(world)
    export = world.request()
    world.pass_time(timedelta(minutes=5), steps=20)
    assert world.export(export).status is ExportStatus.QUEUED
    assert (world.export(export).claims, world.source.calls, world.mailer.mails) == (0, [], [])
    assert not world.dead_letters.letters


def test_what_waited_goes_on_within_two_minutes_of_the_end_of_the_pause() -> None:
    world = World()
    pause(world)
    export = world.request()
    world.pass_time(timedelta(minutes=1), steps=600)
    world.state.resume()
    world.pass_time(timedelta(minutes=1), steps=2)
    assert world.export(export).status is ExportStatus.COMPLETED
    assert len(world.mails) == 1


def test_a_running_export_stops_within_a_page_and_loses_nothing() -> None:
    world = World()
    world.source = SourceWithAStranger(2, lambda: pause(world))
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    stopped = world.export(export)
    assert (stopped.status, stopped.progress.rows, len(world.source.calls)) == (ExportStatus.QUEUED, 3, 2)
    world.state.resume()
    world.pass_time(timedelta(minutes=2))
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == [None, "3:7", "3:7", "6:7"], "one page was under way"


def test_with_drain_a_running_export_comes_to_its_end_and_the_next_one_is_not_begun() -> None:
    world = World()
    world.source = SourceWithAStranger(1, lambda: pause(world, drain=True))
    world.services = world.over(world.ports)
    first, second = world.request(), world.request("user-2")
    world.work()
    assert world.export(first).status is ExportStatus.COMPLETED
    assert world.export(second).claims == 0


def test_a_failure_in_a_pause_is_settled_afterwards() -> None:
    world = World()
    world.source = SourceWithAStranger(1, lambda: pause(world), broken=True)
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    world.pass_time(timedelta(minutes=10), steps=5)
    assert world.export(export).owed == (Owed.DEAD_LETTER, Owed.FAILURE_MAIL)
    assert (world.dead_letters.letters, world.mailer.mails) == ([], [])
    world.state.resume()
    world.pass_time(timedelta(minutes=2))
    assert world.export(export).owed == ()
    assert (len(world.dead_letters.letters), len(world.failure_mails)) == (1, 1)


def test_a_waiting_export_is_not_tried_again_in_a_pause() -> None:
    world = World(mails=[REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    pause(world)
    world.pass_time(timedelta(minutes=5), steps=10)
    assert world.export(export).status is ExportStatus.WAITING
    assert len(world.mailer.mails) == 1
    world.state.resume()
    world.pass_time(timedelta(minutes=2))
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_plain_message_gets_its_record_in_a_pause_and_is_worked_on_afterwards() -> None:
    world = World()
    pause(world)
    world.queue.send(Message("-", {"userId": "user-1", "email": "member@example.org"}))
    world.work()
    assert not world.queue.messages
    [export] = world.store.records.values()
    assert export.claims == 0
    world.state.resume()
    world.pass_time(timedelta(minutes=2))
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_pause_spends_no_receives_however_often_messages_come() -> None:
    world = World()
    export = world.request()
    pause(world)
    for _ in range(20):
        world.services.sweep()
        world.work()
        world.clock.advance(timedelta(minutes=6))
    assert not world.dead_letters.letters
    assert world.export(export).status is ExportStatus.QUEUED


def test_what_expired_is_deleted_in_a_pause_behind_any_number_that_rests() -> None:
    world = World(max_exports_per_hour=1000)
    done = world.request()
    world.work()
    waiting = [world.request(f"user-{number}") for number in range(2, 450)]
    pause(world)
    world.clock.advance(timedelta(days=8))
    world.services.sweep()
    file = world.export(done).file
    assert file is not None
    assert file.deleted
    assert all(world.export(one).claims == 0 for one in waiting)


def test_resuming_tells_what_ended_and_that_nothing_was_paused(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    service = service_of(world)
    assert service.resume(OPS) is None
    with caplog.at_level("INFO"):
        paused = service.pause(OPS, "Because.", drain=False)
        assert service.resume(OPS) == paused
    assert paused.by == "ops"
    assert [record.getMessage() for record in caplog.records] == ["event=paused drain=False", "event=resumed"]


def test_who_paused_and_resumed_is_in_the_audit_log_and_what_cannot_be_noted_is_not_done() -> None:
    world = World()
    service_of(world).pause(OPS, "The API moves.", drain=False)
    service_of(world).resume(OPS)
    noted = [(entry.action, entry.actor, entry.who, entry.outcome) for entry in world.audit.entries]
    assert sorted(noted) == [
        (Action.SERVICE_PAUSED, Actor.OPERATOR, "ops", Outcome.DONE),
        (Action.SERVICE_RESUMED, Actor.OPERATOR, "ops", Outcome.DONE),
    ]
    world.audit.trouble = StorageUnavailable("The disk is full.")
    with pytest.raises(StorageUnavailable):
        service_of(world).pause(OPS, "", drain=False)
    assert world.state.paused() is None
