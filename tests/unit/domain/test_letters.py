"""Messages and dead letters as they travel: every field, and what of a stranger's is kept."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.errors import InvalidMessage
from memberships_export.domain.export.record import Failure, Stage
from memberships_export.domain.messages.letters import (
    failure_attributes,
    invalid_letter,
    is_letter_about,
    printable,
)
from memberships_export.domain.messages.message import Message, Received
from memberships_export.domain.messages.wake import Wake, parse_message, wake_message
from tests.factories import REQUESTED_AT, an_export

FAILURE = Failure(stage=Stage.RENDER, code="no_progress", reason="ü\nx", at=REQUESTED_AT + timedelta(minutes=1))
EXPORT = an_export(export_id="e-1", claims=3)
IDENTITY = {"userId": "user-1", "email": "member@example.org", "exportId": "e-1"}


def test_a_message_of_ours_says_what_it_is_about_in_its_body_and_in_its_attributes() -> None:
    message = wake_message(EXPORT)
    assert json.loads(message.body) == {"version": 1, **IDENTITY, "requestedAt": "2026-03-01T12:00:00+00:00"}
    assert message.attributes == IDENTITY


@pytest.mark.parametrize(
    "message",
    [
        wake_message(EXPORT),
        Message(json.dumps(IDENTITY)),
        Message(json.dumps({"version": 1}), IDENTITY),
        Message(json.dumps({"userId": "user-1", "email": ""}), {"email": "member@example.org", "exportId": "e-1"}),
    ],
)
def test_a_field_is_read_from_the_body_or_from_the_attributes(message: Message) -> None:
    wake = Wake(export_id="e-1", user_id="user-1", email="member@example.org", plain=False)
    assert parse_message(message, "m-1") == wake


@pytest.mark.parametrize(
    "body", ["-", "", "[]", "null", "7", '"text"', "{}", '{"userId": "user-1"}', '{"userId": null}', "[" * 100_000]
)
def test_a_plain_message_may_say_all_in_its_attributes_and_gets_the_id_of_its_message(body: str) -> None:
    attributes = {"userId": "user-1", "email": "member@example.org"}
    wake = parse_message(Message(body, attributes), "m-1")
    assert (wake.user_id, wake.email, wake.plain) == ("user-1", "member@example.org", True)
    # Made from the message id once and for all: a message that comes again after an update is the same export.
    assert wake.export_id == "aed1023a-94b3-5f54-b898-1901404da68b"
    assert parse_message(Message(body, attributes), "m-2").export_id != wake.export_id


@pytest.mark.parametrize(
    "body, attributes, reason",
    [
        ("-", {"userId": "u"}, "The message body is not JSON."),
        ("-", {"email": "a@example.org"}, "The message body is not JSON."),
        ("[]", {"userId": "u"}, "The message body is not a JSON object."),
        ("7", IDENTITY, "The message body is not a JSON object."),
        ('{"version": 2}', IDENTITY, "The message has version '2'; this service understands version 1."),
        ('{"version": true}', IDENTITY, "The message has version 'True'; this service understands version 1."),
        ('{"version": "12345678901234567890123"}', IDENTITY, "The message has version '12345678901234567890'; "),
        ('{"email": "a@example.org"}', {}, "The message has no userId."),
        ('{"userId": "u"}', {}, "The message has no email."),
        ("{}", {}, "The message has no userId and no email."),
        ('{"exportId": 7}', IDENTITY, "The message's exportId is not text."),
        ('{"exportId": ""}', {"userId": "u"}, "The message has no email."),
        ('{"exportId": "e-2"}', IDENTITY, "The message's exportId differs between body and attributes."),
        ('{"email": "b@example.org"}', IDENTITY, "The message's email differs between body and attributes."),
        ('{"userId": "a\\nb", "email": "a@example.org"}', {}, "The message's userId is longer than 255 characters, or"),
    ],
)
def test_what_is_wrong_with_a_message_is_said(body: str, attributes: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidMessage) as invalid:
        parse_message(Message(body, attributes), "m-1")
    assert invalid.value.reason.startswith(reason)


def test_a_message_is_for_an_export_of_its_user_and_address_only() -> None:
    wake = Wake(export_id="e-1", user_id="user-1", email="member@example.org", plain=False)
    assert wake.is_for(EXPORT)
    assert wake.is_for(replace(EXPORT, email="new@example.org", earlier_emails=("member@example.org",)))
    assert not wake.is_for(replace(EXPORT, email="new@example.org"))
    assert not wake.is_for(replace(EXPORT, user_id="user-2"))
    assert wake.is_for(replace(EXPORT, email="member@Example.ORG")), "as older versions recorded it"


def test_a_dead_letter_says_why_in_five_attributes() -> None:
    assert failure_attributes(EXPORT) == {}
    assert failure_attributes(replace(EXPORT, failure=FAILURE)) == {
        "stage": "render",
        "errorCode": "no_progress",
        "reason": "\\xfc x",
        "attempts": "3",
        "failedAt": "2026-03-01T12:01:00+00:00",
    }


def test_a_letter_is_about_the_failure_of_its_time_and_no_other() -> None:
    letter = Message("-", failure_attributes(replace(EXPORT, failure=FAILURE)))
    assert is_letter_about(letter, FAILURE)
    assert not is_letter_about(letter, replace(FAILURE, at=FAILURE.at + timedelta(microseconds=1)))
    assert not is_letter_about(wake_message(EXPORT), FAILURE)


def test_the_letter_of_a_message_nobody_understands_keeps_what_it_is_about_and_says_why() -> None:
    message = Message("rubbish", IDENTITY | {"x-trace": "1", "reason": "of a stranger"})
    received = Received(message_id="m-1", message=message, receipt="r", receive_count=4)
    assert invalid_letter(InvalidMessage("No."), received, REQUESTED_AT) == Message(
        "rubbish",
        IDENTITY
        | {
            "stage": "receive",
            "errorCode": "invalid_message",
            "reason": "No.",
            "attempts": "4",
            "failedAt": "2026-03-01T12:00:00+00:00",
            "messageId": "m-1",
        },
    )


@pytest.mark.parametrize(
    "body, kept",
    [
        ("x" * 1_000_000, "x" * 1_000_000),
        ("x" * 1_000_001, "x" * 1_000_000),
        ("x" + "ü" * 500_000, "x" + "ü" * 499_999),  # half a character is left out
    ],
)
def test_a_body_that_leaves_no_room_for_the_reason_is_cut(body: str, kept: str) -> None:
    received = Received(message_id="m-1", message=Message(body), receipt="r")
    assert invalid_letter(InvalidMessage("No."), received, REQUESTED_AT).body == kept


@pytest.mark.parametrize(
    "text, kept",
    [
        ("plain", "plain"),
        ("a\r\nb\rc\nd", "a  b c d"),
        ("Süd 🏊", "S\\xfcd \\U0001f3ca"),
        ("x" * 500, "x" * 500),
        ("x" * 501, "x" * 500),
        ("", "-"),
    ],
)
def test_an_attribute_is_one_line_of_ascii(text: str, kept: str) -> None:
    assert printable(text) == kept
