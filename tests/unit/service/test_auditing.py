from collections.abc import Callable

import pytest

from memberships_export.domain.audit import Action, Actor, Audited, Channel, Origin, Outcome
from memberships_export.domain.errors import StorageUnavailable, UnknownExport
from memberships_export.domain.pseudonyms import pseudonym
from memberships_export.service.auditing import Audit, audit_of
from tests.fakes.log import Log
from tests.fakes.world import World

MEMBER = Origin(actor=Actor.MEMBER, who="user-1", channel=Channel.API, ip="192.0.2.0/24", request_id="r-1")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def audit(world: World) -> Audit:
    return audit_of(world.ports)


def the_entry(world: World) -> Audited:
    (entry,) = world.audit.entries
    return entry


def raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_an_action_is_noted_before_it_is_done_and_its_outcome_afterwards(world: World, audit: Audit) -> None:
    with audit.noting(MEMBER, Action.EXPORT_CANCELLED, export_id="export-1", user_id="user-1"):
        before = the_entry(world)

    assert before.outcome is Outcome.BEGUN
    assert the_entry(world) == before.ended(Outcome.DONE)
    known = pseudonym("user-1", world.ports.audit_key())
    assert (before.who, before.about) == (known, known)
    assert (before.at, before.ip, before.request_id) == (world.clock(), "192.0.2.0/24", "r-1")


def test_what_cannot_be_noted_is_not_done(world: World, audit: Audit) -> None:
    world.audit.trouble = StorageUnavailable("the disk is full")
    done = []

    with pytest.raises(StorageUnavailable), audit.noting(MEMBER, Action.EXPORT_CANCELLED):
        done.append("it")

    assert done == []


def test_without_its_key_nothing_is_noted_and_nothing_done(world: World) -> None:
    audit = Audit(log=world.audit, clock=world.clock, key=raising(StorageUnavailable("no secret")))  # type: ignore[arg-type]

    with pytest.raises(StorageUnavailable), audit.noting(MEMBER, Action.EXPORT_CANCELLED):
        pytest.fail("it was done")


@pytest.mark.parametrize(
    "error, code", [(UnknownExport(), "unknown_export"), (ZeroDivisionError("anna@example.org"), "internal_error")]
)
def test_an_action_that_fails_leaves_why(world: World, audit: Audit, error: Exception, code: str) -> None:
    with pytest.raises(type(error)), audit.noting(MEMBER, Action.EXPORT_CANCELLED):
        raise error

    assert (the_entry(world).outcome, the_entry(world).detail) == (Outcome.FAILED, code)


def test_a_process_that_dies_in_between_leaves_that_it_was_begun(world: World, audit: Audit) -> None:
    with pytest.raises(KeyboardInterrupt), audit.noting(MEMBER, Action.EXPORT_CANCELLED):
        raise KeyboardInterrupt

    assert the_entry(world).outcome is Outcome.BEGUN


def test_an_outcome_that_cannot_be_noted_undoes_nothing_and_is_logged(
    world: World, audit: Audit, caplog: pytest.LogCaptureFixture
) -> None:
    with audit.noting(MEMBER, Action.DLQ_PURGED) as noted:
        noted.detail = "letters=3"
        world.audit.trouble = StorageUnavailable("the disk is full")

    assert the_entry(world).outcome is Outcome.BEGUN
    assert Log(caplog).lines() == ["WARNING export= action=dlq.purged event=outcome_not_noted reason=the disk is full"]


def test_an_operator_stands_there_by_name_and_a_link_by_nobody(world: World, audit: Audit) -> None:
    audit.note(Origin(actor=Actor.OPERATOR, who="jo", channel=Channel.CLI), Action.DLQ_PURGED)
    world.clock.advance(world.policy.lease)
    audit.note(Origin(actor=Actor.MEMBER, channel=Channel.LINK), Action.LINK_OPENED, user_id="user-1")

    first, second = world.audit.entries
    assert (first.who, first.about, first.outcome) == ("jo", "", Outcome.DONE)
    assert (second.who, second.about) == ("", audit.pseudonym("user-1"))


def test_a_request_id_that_may_hold_an_address_is_not_noted(world: World, audit: Audit) -> None:
    audit.note(Origin(request_id="anna@example.org"), Action.AUDIT_READ)

    assert the_entry(world).request_id == ""
