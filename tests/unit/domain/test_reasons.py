"""What members read: words of their own for each code, and nothing of what stands behind it."""

import pytest

from memberships_export.domain.errors import PermanentError, TransientError, UnreadableRecord
from memberships_export.domain.export.reasons import detail_for_members, reason_for_members
from memberships_export.domain.export.record import Delivery, Evidence, Send
from tests.factories import REQUESTED_AT

OTHER = reason_for_members("a code that nobody knows")


def family(error: type[Exception]) -> list[type[Exception]]:
    return [one for child in error.__subclasses__() for one in (child, *family(child))]


FAMILIES = (*family(TransientError), *family(PermanentError))
# No export can show that its own record cannot be read.
ERRORS = [error for error in FAMILIES if ".domain." in error.__module__ and error is not UnreadableRecord]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_every_error_that_an_export_can_show_has_words_of_its_own(error: type[TransientError]) -> None:
    assert reason_for_members(error.code) != OTHER


def test_no_two_codes_have_the_same_words() -> None:
    texts = [reason_for_members(code) for code in {error.code for error in ERRORS}]  # type: ignore[attr-defined]

    assert len(texts) == len(set(texts)) > 12


def test_a_bounce_is_told_without_the_words_of_other_servers() -> None:
    bounced = Send(
        number=1,
        mailing=1,
        started_at=REQUESTED_AT,
        evidence=Evidence.ACCEPTED,
        delivery=Delivery.BOUNCED,
        detail="550 5.1.1 mx7.internal.example: no such user",
    )

    assert detail_for_members(bounced) == "The mail came back: the address did not take it."


@pytest.mark.parametrize("delivery", [None, Delivery.ACCEPTED, Delivery.DELIVERED])
def test_of_any_other_mail_there_is_nothing_to_tell(delivery: Delivery | None) -> None:
    send = Send(number=1, mailing=1, started_at=REQUESTED_AT, delivery=delivery, detail="SendGrid: 10.0.0.1")

    assert detail_for_members(send) is None
