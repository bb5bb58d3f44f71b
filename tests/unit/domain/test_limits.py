"""What a queue takes: at each limit the last that fits, and the first that does not."""

import pytest

from memberships_export.domain.messages.limits import check_message
from memberships_export.domain.messages.message import Message

ALLOWED = "tab, line feed, carriage return, U+0020-U+D7FF, U+E000-U+FFFD and U+10000 up"
SIZE = 1_048_576


@pytest.mark.parametrize(
    "message",
    [
        Message("x"),
        Message("\t\n\r \ud7ff\ue000\ufffd\U00010000\U0010ffff"),
        Message("x" * SIZE),
        Message("x" * (SIZE - 8), {"a": "b"}),  # the name, the value and the type String count too
        Message("ü" * (SIZE // 2)),
        Message("x", {f"a{n}": "b" for n in range(10)}),
        Message("x", {"x" * 256: "b"}),
        Message("x", {"A-Za_z0-9.b": "b", "awsome": "b", "amazonas": "b", "x.aws.y": "b"}),
    ],
)
def test_what_fits_is_taken(message: Message) -> None:
    check_message(message)


@pytest.mark.parametrize(
    "message, reason",
    [
        (Message(""), "The message body is empty: SQS needs at least one character."),
        (Message("x", {"a": ""}), "The message attribute a is empty: leave it out or give it a value."),
        (
            Message("x", {f"a{n}": "b" for n in range(11)}),
            "The message has 11 attributes; at most 10 are allowed.",
        ),
        (
            Message("x" * (SIZE + 1)),
            "The message has 1048577 bytes with its attributes; at most 1048576 are allowed.",
        ),
        (
            Message("x" * (SIZE - 7), {"a": "b"}),
            "The message has 1048577 bytes with its attributes; at most 1048576 are allowed.",
        ),
        (
            Message("ü" * (SIZE // 2) + "x"),
            "The message has 1048577 bytes with its attributes; at most 1048576 are allowed.",
        ),
        (Message("ab\x00"), f"The message body holds U+0000 at position 2; SQS takes only {ALLOWED}."),
        (Message("\x0b"), f"The message body holds U+000B at position 0; SQS takes only {ALLOWED}."),
        (Message("\ud800"), f"The message body holds U+D800 at position 0; SQS takes only {ALLOWED}."),
        (Message("\uffff"), f"The message body holds U+FFFF at position 0; SQS takes only {ALLOWED}."),
        (
            Message("x", {"name": "a\x1f"}),
            f"The message attribute name holds U+001F at position 1; SQS takes only {ALLOWED}.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(message: Message, reason: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  (the whole text is compared)
        check_message(message)
    assert str(refused.value) == reason


@pytest.mark.parametrize("name", ["", "a b", "a..b", ".a", "a.", "ä", "AWS.a", "aws.a", "Amazon.a", "x" * 257])
def test_a_name_that_sqs_does_not_take_is_refused_and_shown_in_part(name: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  (the whole text is compared)
        check_message(Message("x", {name: "b"}))
    assert str(refused.value) == (
        f"The message attribute name {name[:256]!r} is not made of up to 256 letters, digits, _ - and single dots "
        "inside; SQS keeps AWS. and Amazon. for itself."
    )
