from datetime import timedelta

import pytest

from memberships_export.domain.messages.belonging import Belongings, Queued
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import parse_message, wake_message
from tests.factories import REQUESTED_AT, an_export

PLAIN = {"userId": "user-1", "email": "member@example.org"}
MEANT = Belongings(export_ids=frozenset({"e-1"}), user_id="user-1", until=REQUESTED_AT)


def queued(message: Message, seconds: int = 0) -> Queued:
    return Queued("m-1", message, REQUESTED_AT + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "message",
    [
        wake_message(an_export(export_id="e-1", user_id="user-2")),
        wake_message(an_export(export_id="long gone")),
        Message("no JSON", PLAIN),
        Message('{"userId": "user-1"}', {}),
        Message("[" * 100_000, {"exportId": "e-1"}),
    ],
)
def test_messages_of_the_exports_and_of_the_user_are_meant_also_broken_ones(message: Message) -> None:
    assert MEANT(queued(message))


@pytest.mark.parametrize(
    "message",
    [
        wake_message(an_export(user_id="user-2")),
        Message("null", {}),
        Message('{"userId": ["user-1"]}', {}),
        Message('{"userId": "user-11"}', {}),
    ],
)
def test_others_are_not(message: Message) -> None:
    assert not MEANT(queued(message))


def test_what_the_user_sent_later_is_not_meant_but_what_is_sent_for_the_exports_is() -> None:
    assert not MEANT(queued(Message("{}", PLAIN), seconds=1))
    assert MEANT(queued(wake_message(an_export(export_id="e-1")), seconds=1))


def test_a_plain_message_belongs_to_the_export_that_a_worker_makes_of_it() -> None:
    message = Message("{}", PLAIN)
    own = Belongings(export_ids=frozenset({parse_message(message, "m-1").export_id}))
    assert own(queued(message))
    assert not own(Queued("m-2", message, REQUESTED_AT))
