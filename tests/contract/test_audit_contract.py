"""What every AuditLog promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.audit import Action, Actor, Audited, AuditQuery, Channel, Outcome
from memberships_export.ports import AuditLog
from tests.contract.conftest import KEPT
from tests.factories import new_entry_id
from tests.fakes.memory import FakeClock


def an_entry(clock: FakeClock, action: Action = Action.FILE_DOWNLOADED, export_id: str = "export-1") -> Audited:
    """Make an entry with all fields filled, and let some time pass."""
    clock.advance(timedelta(seconds=7))
    return Audited(
        id=new_entry_id(clock.now),
        at=clock.now,
        actor=Actor.MEMBER,
        who="a" * 32,
        about="b" * 32,
        action=action,
        export_id=export_id,
        detail="letters=3",
        channel=Channel.API,
        ip="192.0.2.0/24",
        request_id="request-1",
    )


def test_an_entry_is_read_as_it_was_noted(audit: AuditLog, clock: FakeClock) -> None:
    entry = an_entry(clock)
    before = clock.now - KEPT / 2
    bare = Audited(id=new_entry_id(before), at=before, actor=Actor.SYSTEM, action=Action.AUDIT_READ)

    audit.note(entry)
    audit.note(bare)

    assert audit.read(AuditQuery()).entries == [entry, bare]


def test_the_newest_come_first_and_a_page_says_where_to_go_on(audit: AuditLog, clock: FakeClock) -> None:
    entries = [an_entry(clock) for _ in range(5)]
    for entry in entries:
        audit.note(entry)

    first = audit.read(AuditQuery(limit=2))
    second = audit.read(AuditQuery(limit=2, before=first.before))
    last = audit.read(AuditQuery(limit=2, before=second.before))

    assert [*first.entries, *second.entries, *last.entries] == entries[::-1]
    assert last.before is None


def test_a_log_over_several_months_is_read_to_its_end(audit: AuditLog, clock: FakeClock) -> None:
    entries = []
    for _ in range(12):
        entries.append(an_entry(clock))
        clock.advance(timedelta(days=29))
        audit.note(entries[-1])

    assert audit.read(AuditQuery()).entries == entries[::-1]
    assert audit.read(AuditQuery(before=entries[3].id)).entries == entries[2::-1]


@pytest.mark.parametrize("number", [0, 100, 101, 205])
def test_a_full_page_is_the_last_when_nothing_is_left(audit: AuditLog, clock: FakeClock, number: int) -> None:
    for _ in range(number):
        audit.note(an_entry(clock))

    page = audit.read(AuditQuery(limit=number or 1))

    assert (len(page.entries), page.before) == (number, None)


def test_entries_are_found_by_export_action_person_and_time(audit: AuditLog, clock: FakeClock) -> None:
    one = an_entry(clock)
    other = replace(an_entry(clock, Action.EXPORT_CANCELLED, "export-2"), who="c" * 32)
    audit.note(one)
    audit.note(other)

    assert audit.read(AuditQuery(export_id="export-1")).entries == [one]
    assert audit.read(AuditQuery(action=Action.EXPORT_CANCELLED)).entries == [other]
    assert audit.read(AuditQuery(person="a" * 32)).entries == [one]
    assert audit.read(AuditQuery(person="b" * 32)).entries == [other, one]
    assert audit.read(AuditQuery(since=other.at)).entries == [other]
    assert audit.read(AuditQuery(export_id="export-2", person="a" * 32)).entries == []


def test_a_begun_entry_gets_its_outcome_and_keeps_it(audit: AuditLog, clock: FakeClock) -> None:
    begun = an_entry(clock)
    done = begun.ended(Outcome.DONE)

    audit.note(begun)
    audit.note(done)
    audit.note(begun.ended(Outcome.FAILED, "storage_unavailable"))
    audit.note(begun)

    assert audit.read(AuditQuery()).entries == [done]


def test_an_entry_that_is_kept_long_enough_is_not_read_any_more(audit: AuditLog, clock: FakeClock) -> None:
    old, young = an_entry(clock), an_entry(clock)
    audit.note(old)
    audit.note(young)

    clock.now = young.at + KEPT - timedelta(seconds=1)
    audit.forget_before(clock.now - KEPT)

    assert audit.read(AuditQuery()).entries == [young]
    assert audit.forget_before(clock.now - KEPT) == 0
