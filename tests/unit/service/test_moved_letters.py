"""Dead letters that the queue itself moves back, or a person by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.export.policy import AfterUnknownSend
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.mail.mail import SendResult
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from memberships_export.service.operator.redrive import Redriven, RedriveOutcome
from tests.factories import a_membership
from tests.fakes.memory import ListSource, MemoryStore
from tests.fakes.world import DOUBTFUL, REFUSED_FOR_GOOD, SILENT, World

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


def move_back(world: World) -> list[Redriven]:
    """Redrive all with a queue that can move letters, as SQS can."""
    world.dead_letters.back_to = world.queue
    return list(world.services.redrive.redrive_all(dry_run=False))


def test_a_letter_that_the_queue_moved_back_puts_its_export_on_its_way_from_its_checkpoint() -> None:
    world, export = failed_at_page(3)
    world.source.calls.clear()
    (outcome,) = move_back(world)
    assert (outcome.outcome, outcome.text) == (RedriveOutcome.REDRIVEN, "Goes on at step fetch.")
    assert (len(world.queue.messages), world.dead_letters.letters) == (1, [])
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == ["6:7"]


def test_a_letter_is_moved_as_it_is_and_what_is_sent_one_by_one_is_a_new_message() -> None:
    for can_move in (True, False):
        world, export = failed_at_page(3)
        (letter,) = world.dead_letters.letters
        world.dead_letters.back_to = world.queue if can_move else None
        list(world.services.redrive.redrive_all(dry_run=False))
        assert world.dead_letters.moved == ([letter] if can_move else [])
        assert world.queue.messages == [letter.message if can_move else wake_message(world.export(export))]


def test_letters_that_are_no_longer_needed_are_moved_with_the_others_and_acknowledged() -> None:
    world, export = failed_at_page(3)
    done = world.request("user-2")
    world.work()
    world.dead_letters.add(wake_message(world.export(done)))
    outcomes = [outcome.outcome for outcome in move_back(world)]
    assert sorted(outcomes) == [RedriveOutcome.FINISHED, RedriveOutcome.REDRIVEN]
    assert len(world.dead_letters.moved) == 2
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert len(world.mails) == 2
    assert world.queue.messages == []


def test_one_letter_that_has_to_stay_keeps_all_from_being_moved() -> None:
    world, export = failed_at_page(3)
    world.dead_letters.add(Message("rubbish"))
    outcomes = [outcome.outcome for outcome in move_back(world)]
    assert sorted(outcomes) == [RedriveOutcome.REDRIVEN, RedriveOutcome.REFUSED]
    assert world.dead_letters.moved == []
    assert [letter.message.body for letter in world.dead_letters.letters] == ["rubbish"]
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED


def test_without_letters_nothing_is_moved() -> None:
    world = World()
    assert move_back(world) == []


def test_a_dry_run_moves_nothing() -> None:
    world, _ = failed_at_page(2)
    world.dead_letters.back_to = world.queue
    list(world.services.redrive.redrive_all(dry_run=True))
    assert (len(world.dead_letters.letters), world.queue.messages) == (1, [])


def test_a_queue_that_moves_nothing_by_itself_is_redriven_one_by_one() -> None:
    world, export = failed_at_page(2)
    (outcome,) = world.services.redrive.redrive_all(dry_run=False)
    assert outcome.outcome is RedriveOutcome.REDRIVEN
    assert world.export(export).status is ExportStatus.QUEUED
    assert not world.dead_letters.letters


@pytest.mark.parametrize("answer", [SILENT, DOUBTFUL])
def test_a_moved_letter_whose_mail_may_have_arrived_goes_back_with_its_reason_and_nothing_is_mailed(
    answer: SendResult,
) -> None:
    world = World(mails=[answer], after_unknown_send=AfterUnknownSend.HOLD)
    export = world.request()
    world.work()
    world.pass_time()
    (letter,) = world.dead_letters.letters
    (outcome,) = move_back(world)
    assert outcome.outcome is RedriveOutcome.REFUSED
    move_by_hand(world)
    world.work()
    (back,) = world.dead_letters.letters
    assert back.message == letter.message
    assert world.export(export).status is ExportStatus.FAILED
    assert len(world.mails) == 1


def move_by_hand(world: World) -> None:
    """Move the letters as the console of SQS does: the records know nothing of it."""
    world.dead_letters.back_to = world.queue
    assert world.dead_letters.move_all()


def test_letters_moved_by_hand_put_their_exports_on_their_way_too() -> None:
    world, export = failed_at_page(3)
    world.source.calls.clear()
    move_by_hand(world)
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == ["6:7"]


def test_a_moved_letter_of_an_export_whose_user_has_another_one_under_way_goes_back() -> None:
    world, export = failed_at_page(2)
    world.request()
    world.queue.lose_all()
    move_by_hand(world)
    world.work()
    assert world.export(export).status is ExportStatus.FAILED
    assert len(world.dead_letters.letters) == 1


def test_an_export_whose_user_has_another_one_under_way_is_refused_and_the_others_are_redriven_one_by_one() -> None:
    world, _ = failed_at_page(2)
    world.request()
    world.queue.lose_all()
    (outcome,) = move_back(world)
    assert outcome.outcome is RedriveOutcome.REFUSED
    assert (len(world.dead_letters.letters), world.queue.messages, world.dead_letters.moved) == (1, [], [])


def test_a_moved_letter_that_gets_lost_is_no_matter_because_its_record_is_on_its_way() -> None:
    world, export = failed_at_page(3)
    move_back(world)
    world.queue.lose_all()
    world.pass_time()
    assert world.export(export).status is ExportStatus.COMPLETED


def test_a_letter_that_names_no_export_is_never_moved_because_it_would_start_another_one() -> None:
    world = World()
    world.dead_letters.add(Message("-", {"userId": "user-1", "email": "plain@example.org"}))
    (letter,) = world.dead_letters.letters
    (outcome,) = move_back(world)
    assert outcome.outcome is RedriveOutcome.REDRIVEN
    (message,) = world.queue.messages
    assert message == letter.message, "sent one by one, as `dlq redrive ID` does"
    assert world.dead_letters.moved == []


@pytest.mark.parametrize("move, mails", [(redrive_all, 1), (move_by_hand, 2)])
def test_the_export_of_a_plain_letter_is_known_by_its_message_id_which_a_move_by_hand_changes(
    move: Callable[[World], object], mails: int
) -> None:
    world = World()
    world.queue.send(Message("-", {"userId": "user-1", "email": "plain@example.org"}))
    for _ in range(6):  # each worker dies before it acknowledges; the sixth look finds that these were enough
        if received := world.queue.receive(0):
            world.services.run(received, lambda: False)
        world.clock.advance(timedelta(minutes=5))
    assert (len(world.mails), len(world.dead_letters.letters)) == (1, 1)
    move(world)
    world.work()
    assert len(world.mails) == mails


def test_an_export_that_is_redriven_too_early_tells_its_user_no_second_time() -> None:
    world = World(mails=[REFUSED_FOR_GOOD] * 5)
    export = world.request()
    world.work()
    for _ in range(3):
        move_by_hand(world)
        world.work()
    assert world.export(export).status is ExportStatus.FAILED
    assert len(world.dead_letters.letters) == 1
    assert len(world.failure_mails) == 1


def test_a_moved_letter_about_an_earlier_failure_starts_nothing() -> None:
    world, export = failed_at_page(2)
    (letter,) = world.dead_letters.letters
    world.clock.advance(timedelta(minutes=1))
    world.source.before[len(world.source.calls) + 1] = MembershipsContractBroken("Still misconfigured.")
    redrive_all(world)
    world.work()
    assert world.export(export).status is ExportStatus.FAILED
    world.queue.send(letter.message)
    world.work()
    assert world.export(export).status is ExportStatus.FAILED
    assert len(world.dead_letters.letters) == 1


def test_a_moved_letter_that_comes_five_times_is_one_mail() -> None:
    world, export = failed_at_page(3)
    (letter,) = world.dead_letters.letters
    for _ in range(4):
        world.queue.send(letter.message)
    move_back(world)
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert len(world.mails) == 1


def test_a_moved_letter_of_a_completed_export_is_done_with() -> None:
    world, export = failed_at_page(3)
    (letter,) = world.dead_letters.letters
    redrive_all(world)
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    world.queue.send(letter.message)
    world.work()
    assert (len(world.mails), world.dead_letters.letters, world.queue.messages) == (1, [], [])


def test_a_moved_letter_says_nothing_about_a_failure_that_comes_while_it_is_read() -> None:
    world, export = failed_at_page(2)
    (letter,) = world.dead_letters.letters
    first = world.export(export)
    assert first.failure is not None
    later = replace(first, failure=replace(first.failure, at=first.failure.at + timedelta(minutes=1)))

    class FailedAgainMeanwhile(MemoryStore):
        def replace(self, old: Export, new: Export) -> Export | None:
            if old.failure == first.failure:
                super().replace(old, later)
            return super().replace(old, new)

    store = FailedAgainMeanwhile()
    store.records = world.store.records
    world.store = store
    world.services = world.over(world.ports)
    world.queue.send(letter.message)
    world.work()
    failed = world.export(export)
    assert (failed.status, failed.failure) == (ExportStatus.FAILED, later.failure)
