"""What an operator is told about each dead letter."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.export.record import Evidence, Export, ExportStatus, Send
from memberships_export.domain.messages.letters import DeadLetter
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import export_id_of, wake_message
from memberships_export.service.operator.redrive import Redriven, RedriveOutcome
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryStore
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
    resend = f"memberships-export exports resend {export.export_id}"
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


def test_what_cannot_be_read_can_only_be_purged() -> None:
    world = World()
    letter = a_letter(world, Message("rubbish"))
    text = "The message body is not JSON. It can only be purged."
    said = Redriven(letter=letter, export_id=None, outcome=RedriveOutcome.REFUSED, text=text)
    assert redrive_all(world) == redrive_all(world, dry_run=True) == [said]


def test_a_plain_letter_is_said_to_start_the_export_of_its_message() -> None:
    world = World()
    letter = a_letter(world, Message("-", {"userId": "user-1", "email": "member@example.org"}))
    said = Redriven(
        letter=letter,
        export_id=export_id_of(letter),
        outcome=RedriveOutcome.REDRIVEN,
        text="Starts from the beginning.",
    )
    assert redrive_all(world, dry_run=True) == [said]


def test_a_message_that_the_queue_does_not_take_stays_a_letter_with_the_reason() -> None:
    world = World()
    odd = Message("-\x00", {"userId": "user-1", "email": "member@example.org"})
    world.dead_letters.bury(odd, "m-1", world.clock())
    (letter,) = world.dead_letters.letters
    (said,) = redrive_all(world)
    assert said.text.startswith("The message body holds U+0000 at position 1; SQS takes only tab,")
    assert said == Redriven(
        letter=letter, export_id=export_id_of(letter), outcome=RedriveOutcome.REFUSED, text=said.text
    )
    assert world.dead_letters.letters == [letter]


@pytest.mark.parametrize("at_once", [True, False])
def test_an_export_beside_another_one_is_refused_with_the_reason(at_once: bool) -> None:  # noqa: FBT001
    world, export = failed_at_page(2)
    (letter,) = world.dead_letters.letters
    world.request()
    world.dead_letters.back_to = world.queue if at_once else None
    text = f"Another export of the same user is under way; export {export.export_id} cannot start again beside it."
    said = Redriven(letter=letter, export_id=export.export_id, outcome=RedriveOutcome.REFUSED, text=text)
    assert list(world.services.redrive.redrive_all(dry_run=False)) == [said]


def test_an_export_whose_record_goes_in_that_moment_is_refused_with_the_reason() -> None:
    world, export = failed_at_page(2)
    (letter,) = world.dead_letters.letters

    class GoneMeanwhile(MemoryStore):
        def replace(self, _old: Export, _new: Export) -> Export | None:
            self.records.clear()
            return None

    store = GoneMeanwhile()
    store.records = dict(world.store.records)
    text = f"There is no export {export.export_id} any more."
    said = Redriven(letter=letter, export_id=export.export_id, outcome=RedriveOutcome.REFUSED, text=text)
    desk = world.over(replace(world.ports, store=store)).redrive
    assert list(desk.redrive([letter], dry_run=False)) == [said]
