"""What every dead letter queue promises."""

from datetime import timedelta

import pytest

from memberships_export.domain.messages.message import Message
from memberships_export.ports import DeadLetters
from tests.fakes.memory import NOON, FakeClock


def add_three(dead_letters: DeadLetters, clock: FakeClock) -> None:
    for body in ("first", "second", "third"):
        dead_letters.add(Message(body, {"errorCode": "no_progress"}))
        clock.advance(timedelta(seconds=1))


def bodies(dead_letters: DeadLetters, limit: int = 10) -> list[str]:
    return [letter.message.body for letter in dead_letters.browse(limit)]


def test_a_letter_is_kept_as_it_was_added(dead_letters: DeadLetters) -> None:
    message = Message("body", {"errorCode": "no_progress", "reason": "ünïcödé"})
    dead_letters.add(message)

    [letter] = dead_letters.browse(10)

    assert letter.message == message
    assert letter.sent_at == NOON
    assert letter.message_id


def test_browsing_shows_the_oldest_first_and_only_so_many(dead_letters: DeadLetters, clock: FakeClock) -> None:
    add_three(dead_letters, clock)

    assert bodies(dead_letters) == ["first", "second", "third"]
    assert bodies(dead_letters, limit=2) == ["first", "second"]


def test_browsing_removes_nothing(dead_letters: DeadLetters, clock: FakeClock) -> None:
    add_three(dead_letters, clock)

    assert [bodies(dead_letters) for _ in range(10)] == [["first", "second", "third"]] * 10


def test_letters_of_one_moment_keep_their_order(dead_letters: DeadLetters) -> None:
    for number in range(5):
        dead_letters.add(Message(f"{number}"))

    assert bodies(dead_letters) == ["0", "1", "2", "3", "4"]


def test_removing_takes_that_letter_only_and_is_harmless_when_it_is_gone(
    dead_letters: DeadLetters, clock: FakeClock
) -> None:
    add_three(dead_letters, clock)
    second = dead_letters.browse(10)[1]

    with dead_letters.removing() as remove:
        remove(second)
        remove(second)
    with dead_letters.removing() as remove:
        remove(second)

    assert bodies(dead_letters) == ["first", "third"]


def test_one_of_two_equal_letters_can_be_removed(dead_letters: DeadLetters) -> None:
    dead_letters.add(Message("same"))
    dead_letters.add(Message("same"))

    with dead_letters.removing() as remove:
        remove(dead_letters.browse(10)[0])

    assert bodies(dead_letters) == ["same"]


def test_purging_removes_all_and_tells_how_many(dead_letters: DeadLetters, clock: FakeClock) -> None:
    add_three(dead_letters, clock)

    assert dead_letters.purge() == 3
    assert bodies(dead_letters) == []
    clock.advance(timedelta(minutes=1))  # SQS allows one purge a minute
    assert dead_letters.purge() == 0


def test_what_sqs_refuses_is_refused_here_too(dead_letters: DeadLetters) -> None:
    with pytest.raises(ValueError, match=r"U\+0000"):
        dead_letters.add(Message("a\x00"))


def test_letters_are_discarded_by_their_content_or_the_queue_says_that_it_cannot(
    dead_letters: DeadLetters, clock: FakeClock
) -> None:
    add_three(dead_letters, clock)
    discarded = dead_letters.discard(lambda queued: queued.message.body == "second" and queued.sent_at > NOON)
    assert (discarded, bodies(dead_letters)) in [(1, ["first", "third"]), (None, ["first", "second", "third"])]
