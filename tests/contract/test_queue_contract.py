"""What every ExportQueue promises."""

from datetime import datetime, timedelta

import pytest

from memberships_export.domain.messages.message import Message, Received
from memberships_export.ports import DeadLetters, ExportQueue
from tests.contract.conftest import MAX_RECEIVES, VISIBILITY
from tests.fakes.memory import NOON, FakeClock

MESSAGE = Message('{"version": 1}', {"userId": "user-1", "email": "member@example.org"})

OF_AN_EXPORT = Message('{"version": 1}', {"userId": "user-1", "email": "member@example.org", "exportId": "e-1"})


def take(queue: ExportQueue) -> Received:
    received = queue.receive(0)
    assert received is not None
    return received


def use_up(queue: ExportQueue, clock: FakeClock) -> Received:
    """Receive a message as often as is allowed, without a word from the worker."""
    queue.send(MESSAGE)
    for _ in range(MAX_RECEIVES):
        received = take(queue)
        clock.advance(VISIBILITY)
    return received


def test_an_empty_queue_gives_nothing(queue: ExportQueue) -> None:
    assert queue.receive(0) is None


def test_a_message_arrives_as_it_was_sent(queue: ExportQueue) -> None:
    queue.send(MESSAGE)

    received = take(queue)

    assert received.message == MESSAGE
    assert received.receive_count == 1
    assert received.message_id


def test_every_message_has_an_id_of_its_own(queue: ExportQueue) -> None:
    queue.send(MESSAGE)
    queue.send(MESSAGE)

    assert take(queue).message_id != take(queue).message_id


def test_an_empty_queue_holds_no_message(queue: ExportQueue) -> None:
    assert queue.holds(OF_AN_EXPORT) is False


def test_a_message_that_waits_may_be_held_and_one_in_hand_is_not(queue: ExportQueue, clock: FakeClock) -> None:
    queue.send(OF_AN_EXPORT)
    assert queue.holds(OF_AN_EXPORT) in {True, None}

    take(queue)

    clock.advance(timedelta(seconds=29))  # less than the visibility timeout
    assert queue.holds(OF_AN_EXPORT) in {False, None}


@pytest.mark.promise("knows_each_message")
def test_a_queue_that_knows_each_message_tells_exports_apart(queue: ExportQueue, clock: FakeClock) -> None:
    queue.send(OF_AN_EXPORT)

    assert queue.holds(OF_AN_EXPORT) is True
    assert queue.holds(Message("{}", {"exportId": "e-2"})) is False
    take(queue)
    assert queue.holds(OF_AN_EXPORT) is False
    clock.advance(VISIBILITY)
    assert queue.holds(OF_AN_EXPORT) is True


def test_a_received_message_is_invisible_until_the_visibility_timeout(queue: ExportQueue, clock: FakeClock) -> None:
    queue.send(MESSAGE)
    first = take(queue)
    clock.advance(VISIBILITY - timedelta(seconds=1))
    assert queue.receive(0) is None

    clock.advance(timedelta(seconds=1))
    second = take(queue)

    assert second.message_id == first.message_id
    assert second.receive_count == 2
    assert second.receipt != first.receipt


def test_an_acknowledged_message_never_comes_back(queue: ExportQueue, clock: FakeClock) -> None:
    queue.send(MESSAGE)
    received = take(queue)

    queue.acknowledge(received)
    queue.acknowledge(received)

    clock.advance(VISIBILITY)
    assert queue.receive(0) is None


def test_acknowledging_one_message_leaves_the_others(queue: ExportQueue) -> None:
    queue.send(MESSAGE)
    queue.send(MESSAGE)
    first = take(queue)

    queue.acknowledge(first)

    assert take(queue).message_id != first.message_id


@pytest.mark.promise("stale_receipts")
def test_a_stale_receipt_acknowledges_nothing(queue: ExportQueue, clock: FakeClock) -> None:
    queue.send(MESSAGE)
    stale = take(queue)
    clock.advance(VISIBILITY)
    take(queue)

    queue.acknowledge(stale)

    clock.advance(VISIBILITY)
    assert take(queue).message_id == stale.message_id


def test_a_message_given_back_is_visible_after_its_delay(queue: ExportQueue, clock: FakeClock) -> None:
    queue.send(MESSAGE)
    queue.give_back(take(queue), 5)
    clock.advance(timedelta(seconds=4))
    assert queue.receive(0) is None

    clock.advance(timedelta(seconds=1))

    assert take(queue).receive_count == 2


def test_a_message_can_be_given_back_at_once(queue: ExportQueue) -> None:
    queue.send(MESSAGE)

    queue.give_back(take(queue), 0)

    assert take(queue).receive_count == 2


def test_a_message_can_be_kept_invisible_for_longer(queue: ExportQueue, clock: FakeClock) -> None:
    queue.send(MESSAGE)
    queue.give_back(take(queue), VISIBILITY.total_seconds() * 2)

    clock.advance(VISIBILITY)

    assert queue.receive(0) is None


@pytest.mark.promise("stale_receipts")
def test_a_stale_receipt_gives_nothing_back(queue: ExportQueue, clock: FakeClock) -> None:
    queue.send(MESSAGE)
    stale = take(queue)
    clock.advance(VISIBILITY)
    take(queue)

    queue.give_back(stale, 0)

    assert queue.receive(0) is None


def test_a_message_received_too_often_becomes_a_dead_letter_at_the_next_receive(
    queue: ExportQueue, dead_letters: DeadLetters, clock: FakeClock
) -> None:
    last = use_up(queue, clock)
    assert last.receive_count == MAX_RECEIVES
    assert dead_letters.browse(10) == []

    assert queue.receive(0) is None

    [letter] = dead_letters.browse(10)
    assert letter.message_id == last.message_id
    assert letter.message.body == MESSAGE.body
    assert letter.sent_at == NOON
    assert MESSAGE.attributes.items() <= letter.message.attributes.items()
    clock.advance(VISIBILITY)
    assert queue.receive(0) is None


def test_a_healthy_message_behind_a_dead_one_is_received_at_once(queue: ExportQueue, clock: FakeClock) -> None:
    dead = use_up(queue, clock)
    queue.send(MESSAGE)

    assert take(queue).message_id != dead.message_id


@pytest.mark.promise("explains_itself")
def test_a_dead_letter_tells_why_it_is_there(queue: ExportQueue, dead_letters: DeadLetters, clock: FakeClock) -> None:
    use_up(queue, clock)
    queue.receive(0)

    why = dead_letters.browse(1)[0].message.attributes

    assert (why["stage"], why["errorCode"], why["attempts"]) == ("receive", "received_too_often", str(MAX_RECEIVES))
    assert datetime.fromisoformat(why["failedAt"]) == clock()
    assert why["reason"]


@pytest.mark.parametrize(
    "text",
    [
        "\t\n\r ~",
        "\ud7ff\ue000\ufffd",
        pytest.param("\U00010000 \U0010ffff", marks=pytest.mark.promise("beyond_the_basic_plane")),
        "ünïcödé 漢字",
    ],
)
def test_every_character_that_sqs_takes_arrives(queue: ExportQueue, text: str) -> None:
    queue.send(Message(text, {"userId": text}))

    assert take(queue).message == Message(text, {"userId": text})


@pytest.mark.parametrize("code", ["0000", "0008", "000B", "001F", "D800", "DFFF", "FFFE", "FFFF"])
def test_a_character_that_sqs_refuses_is_named(queue: ExportQueue, code: str) -> None:
    name, character = rf"U\+{code}", chr(int(code, 16))
    with pytest.raises(ValueError, match=rf"body holds {name} at position 1"):
        queue.send(Message(f"a{character}"))
    with pytest.raises(ValueError, match=rf"attribute userId holds {name}"):
        queue.send(Message("a", {"userId": character}))
    assert queue.receive(0) is None


def test_a_message_of_one_mebibyte_is_taken_and_one_byte_more_is_not(queue: ExportQueue) -> None:
    attributes = {"x": "é"}  # one byte, "String" and two bytes: nine in all
    queue.send(Message("a" * (1024 * 1024 - 9), attributes))

    with pytest.raises(ValueError, match="1048577 bytes"):
        queue.send(Message("a" * (1024 * 1024 - 8), attributes))


def test_ten_attributes_are_taken_and_eleven_are_not(queue: ExportQueue) -> None:
    queue.send(Message("a", {f"name{number}": "value" for number in range(10)}))

    with pytest.raises(ValueError, match="11 attributes"):
        queue.send(Message("a", {f"name{number}": "value" for number in range(11)}))


@pytest.mark.parametrize("message", [Message(""), Message("a", {"userId": ""})])
def test_an_empty_body_or_attribute_is_refused(queue: ExportQueue, message: Message) -> None:
    with pytest.raises(ValueError, match="empty"):
        queue.send(message)


@pytest.mark.parametrize("name", ["", "é", "a b", ".a", "a.", "a..b", "AWS.a", "amazon.a", "a" * 257])
def test_an_attribute_name_that_sqs_refuses_is_named(queue: ExportQueue, name: str) -> None:
    with pytest.raises(ValueError, match="attribute name"):
        queue.send(Message("a", {name: "value"}))


def test_every_attribute_name_that_sqs_takes_arrives(queue: ExportQueue) -> None:
    attributes = dict.fromkeys(["userId", "a.b-c_1", "awsome", "a" * 256], "value")
    queue.send(Message("a", attributes))

    assert take(queue).message.attributes == attributes


def test_messages_are_discarded_by_their_content_also_in_hand_or_the_queue_says_that_it_cannot(
    queue: ExportQueue,
) -> None:
    queue.send(OF_AN_EXPORT)
    take(queue)
    queue.send(MESSAGE)

    discarded = queue.discard(lambda queued: queued.message.attributes.get("exportId") == "e-1")

    assert discarded in {1, None}
    assert take(queue).message == MESSAGE
