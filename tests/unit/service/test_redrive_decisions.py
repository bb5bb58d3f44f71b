"""What an operator is told about each dead letter."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.export.record import Evidence, Export, ExportStatus, Send
from memberships_export.domain.messages.letters import DeadLetter
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from memberships_export.service.operator.redrive import Redriven, RedriveOutcome, export_id_of
from tests.factories import a_membership
from tests.fakes.memory import ListSource
from tests.fakes.world import World

ROWS = [a_membership(n + 1) for n in range(7)]


def redrive_all(world: World, *, dry_run: bool = False) -> list[Redriven]:
    desk = world.services.redrive
    return list(desk.redrive(desk.letters(), dry_run=dry_run))


def failed_at_page(page: int) -> tuple[World, Export]:
    world = World(source=ListSource(ROWS, {page: MembershipsContractBroken("The API was misconfigured.")}))
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.FAILED
    return world, export


def a_letter(world: World, message: Message) -> DeadLetter:
    world.dead_letters.purge()
    world.dead_letters.add(message)
    return world.dead_letters.letters[0]


def of_a_failed_export(world: World, export: Export) -> tuple[Message, RedriveOutcome, str]:
    return wake_message(world.export(export)), RedriveOutcome.REDRIVEN, "Goes on at step fetch."


def of_another_address(_: World, export: Export) -> tuple[Message, RedriveOutcome, str]:
    forged = wake_message(replace(export, email="thief@example.org"))
    return forged, RedriveOutcome.REFUSED, "It names another user or address than its export."


def of_a_lost_record(world: World, export: Export) -> tuple[Message, RedriveOutcome, str]:
    world.store.records.clear()
    text = "The record of this export is gone; it can only be purged."
    return wake_message(export), RedriveOutcome.REFUSED, text


def of_a_mail_that_may_have_arrived(world: World, export: Export) -> tuple[Message, RedriveOutcome, str]:
    send = Send(number=1, mailing=1, started_at=world.clock(), evidence=Evidence.SILENT)
    world.store.replace(world.export(export), replace(world.export(export), sends=(send,)))
    resend = f"memberships-export resend {export.export_id}"
    text = f"Its mail may have arrived. To mail it again on purpose: {resend}"
    return wake_message(export), RedriveOutcome.REFUSED, text


def of_a_cancelled_export(world: World, export: Export) -> tuple[Message, RedriveOutcome, str]:
    cancelled = replace(world.export(export), status=ExportStatus.CANCELLED, failure=None)
    world.store.replace(world.export(export), cancelled)
    text = "The export is cancelled: the letter is no longer needed."
    return wake_message(export), RedriveOutcome.FINISHED, text


@pytest.mark.parametrize(
    "case",
    [
        of_a_failed_export,
        of_another_address,
        of_a_lost_record,
        of_a_mail_that_may_have_arrived,
        of_a_cancelled_export,
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_what_is_said_names_letter_and_export_and_the_reason(
    case: Callable[[World, Export], tuple[Message, RedriveOutcome, str]],
    dry_run: bool,  # noqa: FBT001
) -> None:
    world, export = failed_at_page(2)
    message, outcome, text = case(world, export)
    letter = a_letter(world, message)
    said = Redriven(letter=letter, export_id=export.export_id, outcome=outcome, text=text)
    assert redrive_all(world, dry_run=dry_run) == [said]
    stays = dry_run or outcome is RedriveOutcome.REFUSED
    assert world.dead_letters.letters == ([letter] if stays else [])


def test_the_export_of_a_letter_is_named_unless_it_cannot_be_read() -> None:
    world, export = failed_at_page(2)
    assert export_id_of(world.dead_letters.letters[0]) == export.export_id
    assert export_id_of(a_letter(world, Message("rubbish"))) is None
