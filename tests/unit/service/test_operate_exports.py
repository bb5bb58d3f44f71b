"""What operators do with exports of all users: by their own right, and noted before it is done."""

from datetime import timedelta

import pytest

from memberships_export.domain.audit import Action, Actor, Channel, Origin, Outcome
from memberships_export.domain.errors import (
    IllegalTransition,
    MembershipsContractBroken,
    MembershipsUnavailable,
    StorageUnavailable,
    UnknownExport,
)
from memberships_export.domain.export.finding import Wanted
from memberships_export.domain.export.record import Export, ExportStatus, Happened
from memberships_export.service.auditing import audit_of
from memberships_export.service.operator.exports import OperateExports
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryAuditLog
from tests.fakes.world import World

JO = Origin(actor=Actor.OPERATOR, who="jo", channel=Channel.CLI)
AWAY = MembershipsUnavailable("It is away.")


def operating(world: World) -> OperateExports:
    ports = world.ports
    return OperateExports(
        store=ports.store,
        desk=ports.desk,
        queue=ports.queue,
        audit=audit_of(ports),
        clock=ports.clock,
        policy=world.policy,
    )


def noted(world: World) -> list[tuple[Action, Outcome, str, str]]:
    log = world.ports.audit
    assert isinstance(log, MemoryAuditLog)
    return [(entry.action, entry.outcome, entry.who, entry.export_id) for entry in log.entries]


def a_world_where_the_api_is_away(times: int) -> World:
    return World(source=ListSource([a_membership(1)], dict.fromkeys(range(1, times + 1), AWAY)))


def waiting(world: World, user_id: str = "user-1") -> Export:
    export = world.request(user_id)
    world.work()
    assert world.export(export).status is ExportStatus.WAITING
    return world.export(export)


def test_a_waiting_export_is_tried_at_once_when_an_operator_says_so() -> None:
    world = a_world_where_the_api_is_away(1)
    export = waiting(world)
    operating(world).retry(export.export_id, JO)
    world.work()
    done = world.export(export)
    assert done.status is ExportStatus.COMPLETED
    assert Happened.RETRIED in [entry.what for entry in done.timeline]
    assert noted(world) == [(Action.EXPORT_RETRIED, Outcome.DONE, "jo", export.export_id)]


def test_without_an_operator_it_is_tried_only_when_its_time_has_come() -> None:
    world = a_world_where_the_api_is_away(1)
    export = waiting(world)
    world.work()
    assert world.export(export).status is ExportStatus.WAITING


def test_all_that_wait_for_one_cause_are_brought_forward_and_no_others() -> None:
    world = a_world_where_the_api_is_away(3)
    exports = [waiting(world, f"user-{number}") for number in range(3)]
    assert list(operating(world).retry_all("mail_refused_for_now", JO)) == []
    retried = list(operating(world).retry_all("memberships_unavailable", JO))
    assert {export.export_id for export in retried} == {export.export_id for export in exports}
    assert {world.export(export).status for export in exports} == {ExportStatus.QUEUED}


def test_a_retry_does_not_make_the_time_to_give_up_any_longer() -> None:
    world = a_world_where_the_api_is_away(2)
    export = waiting(world)
    world.clock.advance(timedelta(seconds=1))
    operating(world).retry(export.export_id, JO)
    world.work()
    again = world.export(export)
    assert again.trouble is not None
    assert export.trouble is not None
    assert (again.trouble.since, again.trouble.count) == (export.trouble.since, 2)


@pytest.mark.parametrize("use_case", ["retry", "resend"])
def test_what_is_not_possible_is_refused_and_not_noted(use_case: str) -> None:
    world = World()
    export = world.request()
    with pytest.raises(IllegalTransition):
        getattr(operating(world), use_case)(export.export_id, JO)
    assert noted(world) == []
    assert world.export(export) == export


def test_a_failed_export_that_is_retried_is_told_what_to_do_instead() -> None:
    world = World(source=ListSource([], {1: MembershipsContractBroken("It answered 404.")}))
    export = world.request()
    world.work()
    with pytest.raises(IllegalTransition, match="dlq redrive"):
        operating(world).retry(export.export_id, JO)


def test_an_operator_cancels_an_export_of_any_user() -> None:
    world = World()
    export = world.request("user-2")
    operating(world).cancel(export.export_id, JO)
    assert world.export(export).status is ExportStatus.CANCELLED
    world.work()
    assert world.mails == []
    assert noted(world) == [(Action.EXPORT_CANCELLED, Outcome.DONE, "jo", export.export_id)]


def test_an_operator_mails_a_file_again_to_the_address_on_the_record_without_taking_a_turn_of_the_user() -> None:
    world = World(max_exports_per_hour=1)
    export = world.request()
    world.work()
    operating(world).resend(export.export_id, JO)
    world.work()
    assert [mail.to for mail in world.mails] == [export.email, export.email]
    assert world.export(export).status is ExportStatus.COMPLETED


@pytest.mark.parametrize("use_case", ["cancel", "retry", "resend", "get"])
def test_an_export_that_does_not_exist_is_named(use_case: str) -> None:
    operate = operating(World())
    arguments = ("nobody-1",) if use_case == "get" else ("nobody-1", JO)
    with pytest.raises(UnknownExport, match="nobody-1"):
        getattr(operate, use_case)(*arguments)


@pytest.mark.parametrize("use_case", ["cancel", "retry"])
def test_what_cannot_be_noted_is_not_done(use_case: str) -> None:
    world = a_world_where_the_api_is_away(1)
    export = waiting(world)
    operate, log = operating(world), world.ports.audit
    assert isinstance(log, MemoryAuditLog)
    log.trouble = StorageUnavailable("It is away.")
    with pytest.raises(StorageUnavailable):
        getattr(operate, use_case)(export.export_id, JO)
    assert world.export(export) == export


def test_operators_find_exports_of_all_users() -> None:
    world = World()
    exports = [world.request(f"user-{number}") for number in range(3)]
    found = operating(world).find(Wanted(), 10).exports
    assert {export.export_id for export in found} == {export.export_id for export in exports}
