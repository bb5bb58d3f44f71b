"""What every store of tombstones promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from memberships_export.domain.export.tombstone import Tombstone
from memberships_export.ports import Erasures
from tests.contract.conftest import ERASURES, Place
from tests.fakes.memory import NOON


@pytest.fixture(params=ERASURES)
def erasures(request: pytest.FixtureRequest, place: Place) -> Erasures:
    return ERASURES[request.param](place)


def a_tombstone(export_id: str = "e-1", seconds: float = 0) -> Tombstone:
    at = NOON + timedelta(seconds=seconds)
    return Tombstone(
        export_id=export_id, owner="hash", requested_at=NOON, erased_at=at, outcome="failed", rows=3, clear_at=at
    )


def test_a_tombstone_is_kept_as_it_was_begun(erasures: Erasures) -> None:
    assert erasures.get("e-1") is None
    assert erasures.begin(a_tombstone()) == a_tombstone()
    assert erasures.get("e-1") == a_tombstone()
    assert erasures.get("") is None
    assert erasures.get("x" * 3000) is None


def test_what_was_begun_is_not_begun_anew(erasures: Erasures) -> None:
    erasures.begin(a_tombstone())
    assert erasures.begin(a_tombstone(seconds=60)) == a_tombstone()
    assert erasures.get("e-1") == a_tombstone()


def test_what_is_due_is_found_until_it_is_done(erasures: Erasures) -> None:
    late, early = erasures.begin(a_tombstone("late", 5.5)), erasures.begin(a_tombstone("early", 1.25))
    assert erasures.due(NOON + timedelta(seconds=1), 10) == []
    assert erasures.due(NOON + timedelta(seconds=5), 10) == [early]
    assert erasures.due(NOON + timedelta(seconds=6), 10) == [early, late]
    assert erasures.due(NOON + timedelta(seconds=6), 1) == [early]
    done = replace(early, clear_at=None)
    assert erasures.replace(early, done)
    assert erasures.due(NOON + timedelta(seconds=6), 10) == [late]
    assert erasures.get("early") == done


def test_only_what_is_still_as_it_was_read_is_replaced(erasures: Erasures) -> None:
    begun = erasures.begin(a_tombstone(seconds=0.123456))
    done, asked = replace(begun, clear_at=None), replace(begun, clear_at=NOON + timedelta(seconds=9))
    assert erasures.replace(begun, asked)
    assert not erasures.replace(begun, done)
    assert erasures.get("e-1") == asked
    assert erasures.replace(asked, done)
    assert not erasures.replace(asked, done)
    assert erasures.replace(done, asked), "one that is done can become due again"
    assert not erasures.replace(a_tombstone("unknown"), done)


def test_all_are_listed_the_oldest_first(erasures: Erasures) -> None:
    for number in (3, 1, 2):
        erasures.begin(a_tombstone(f"e-{number}", number))
    assert [one.export_id for one in erasures.all()] == ["e-1", "e-2", "e-3"]
