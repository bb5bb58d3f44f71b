"""Whom the API lets in, workers serve: a user id that passes at one end passes at the other."""

import json

import pytest

from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.jwt import SharedSecretVerifier
from memberships_export.domain.errors import InvalidMessage
from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import parse_message
from memberships_export.service.user.callers import InvalidToken
from tests.factories import a_membership
from tests.fakes.forged_tokens import SECRET, claims, hs
from tests.fakes.world import World

TOKENS = SharedSecretVerifier(SECRET, ExpectedClaims(audiences=frozenset({"memberships"})))


@pytest.mark.parametrize("user_id", ["u", "x" * 254, "x" * 255, "ü" * 255, "🏊" * 255, "a b", "a:b/c|d", '"', "null"])
def test_who_is_let_in_gets_their_export(user_id: str) -> None:
    assert TOKENS.verify(hs(claims(sub=user_id))).user_id == user_id
    world = World([a_membership(1, userId=user_id)])
    export = world.request(user_id)
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert world.dead_letters.letters == []
    plain = Message("-", {"userId": user_id, "email": "member@example.org"})
    assert parse_message(plain, "m-1").user_id == user_id


@pytest.mark.parametrize("user_id", ["", "x" * 256, "ü" * 256, "a\nb", "a\x00b", "a\u2028b", "a\u00a0b", "a\u202eb"])
def test_who_is_kept_out_is_served_through_no_other_door(user_id: str) -> None:
    with pytest.raises(InvalidToken, match=r"not a user id of 1 to 255 printable characters|sub"):
        TOKENS.verify(hs(claims(sub=user_id)))
    with pytest.raises(InvalidMessage, match=r"userId"):
        parse_message(Message(json.dumps({"userId": user_id, "email": "member@example.org"})), "m-1")


@pytest.mark.parametrize("length, taken", [(255, True), (256, False)])
def test_the_id_of_an_export_is_held_to_the_same_rule(length: int, taken: bool) -> None:  # noqa: FBT001
    message = Message(json.dumps({"userId": "u", "email": "member@example.org", "exportId": "e" * length}))
    if taken:
        assert parse_message(message, "m-1").export_id == "e" * length
    else:
        with pytest.raises(InvalidMessage, match="exportId is longer than 255 characters, or cannot be printed"):
            parse_message(message, "m-1")


def test_an_international_domain_is_the_same_address_at_both_doors() -> None:
    plain = Message("-", {"userId": "user-1", "email": "anna@Bücher.example"})
    assert parse_message(plain, "m-1").email == "anna@xn--bcher-kva.example"
