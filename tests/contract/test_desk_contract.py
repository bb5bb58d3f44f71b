"""What every ExportDesk promises."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from memberships_export.domain.export.finding import Wanted
from memberships_export.domain.export.record import Export, ExportStatus, Failure, Stage, Trouble
from tests.contract.conftest import Desk
from tests.factories import REQUESTED_AT, an_export


def stored(desk: Desk, age: int = 0, **fields: object) -> Export:
    """Put an export into the store that was asked for so many seconds ago."""
    return desk.store.create(an_export(requested_at=REQUESTED_AT - timedelta(seconds=age), **fields))


def finished(desk: Desk, age: int = 0, **fields: object) -> Export:
    return stored(desk, age, status=ExportStatus.COMPLETED, **fields)


def failed(desk: Desk, code: str, age: int = 0, **fields: object) -> Export:
    failure = Failure(stage=Stage.FETCH, code=code, reason="Why.", at=REQUESTED_AT)
    return stored(desk, age, status=ExportStatus.FAILED, failure=failure, **fields)


def waiting(desk: Desk, code: str, age: int = 0, **fields: object) -> Export:
    trouble = Trouble(code=code, reason="Why.", since=REQUESTED_AT, count=1)
    return stored(desk, age, status=ExportStatus.WAITING, trouble=trouble, **fields)


def found(desk: Desk, **wanted: Any) -> Sequence[Export]:  # noqa: ANN401  (fields of Wanted)
    return desk.desk.find(Wanted(**wanted), 100).exports


def test_all_exports_are_found_newest_first(operators: Desk) -> None:
    old, new, middle = (finished(operators, age, user_id=f"user-{age}") for age in (300, 1, 20))
    assert found(operators) == [new, middle, old]


def test_each_filter_finds_what_fits_and_nothing_else(operators: Desk) -> None:
    waits = waiting(operators, "memberships_unavailable", 1, user_id="user-1")
    fails = failed(operators, "foreign_rows", 2, user_id="user-2", email="two@example.org")
    ended = finished(operators, 3, user_id="user-1")
    assert found(operators, user_id="user-1") == [waits, ended]
    assert found(operators, user_id="user-1", status=ExportStatus.WAITING) == [waits]
    assert found(operators, status=ExportStatus.WAITING) == [waits]
    assert found(operators, status=ExportStatus.FAILED) == [fails]
    assert found(operators, code="foreign_rows") == [fails]
    assert found(operators, code="memberships_unavailable") == [waits]
    assert found(operators, since=REQUESTED_AT - timedelta(seconds=2)) == [waits, fails]
    assert found(operators, address="two@example.org") == [fails]
    assert found(operators, address="two@example.org", status=ExportStatus.COMPLETED) == []
    assert found(operators, user_id="user-3") == []


@pytest.mark.parametrize("length", [4, 8, 36])
def test_the_beginning_of_an_id_finds_it(operators: Desk, length: int) -> None:
    one, _ = finished(operators, export_id=f"aaaa{_rest(1)}"), finished(operators, export_id=f"bbbb{_rest(2)}")
    assert found(operators, prefix=one.export_id[:length]) == [one]


def test_what_is_in_a_prefix_means_only_itself(operators: Desk) -> None:
    finished(operators)
    for prefix in ("%", "_", "*", "'", "?", "\U0010ffff", "-"):
        assert found(operators, prefix=prefix) == []


def test_the_case_of_an_address_does_not_count(operators: Desk) -> None:
    export = finished(operators, email="Alice.B@example.org")
    assert found(operators, address="alice.b@example.org") == [export]


def test_an_address_finds_also_exports_that_had_it_before(operators: Desk) -> None:
    first = stored(operators, email="old@example.org")
    moved = operators.store.replace(first, replace(first, email="new@example.org", earlier_emails=("old@example.org",)))
    assert moved is not None
    other = finished(operators, 60, email="old@example.org", user_id="user-2")
    assert found(operators, address="old@example.org") == [moved, other]
    assert found(operators, address="new@example.org") == [moved]


def test_an_address_that_came_back_finds_an_export_once(operators: Desk) -> None:
    export = stored(operators, email="a@example.org")
    for email, earlier in (("b@example.org", ("a@example.org",)), ("a@example.org", ("b@example.org",))):
        changed = operators.store.replace(export, replace(export, email=email, earlier_emails=earlier))
        assert changed is not None
        export = changed
    assert found(operators, address="a@example.org") == [export]
    assert operators.desk.counts(Wanted(address="a@example.org")).counts[0].exports == 1


def test_nothing_is_found_of_a_record_that_was_deleted(operators: Desk) -> None:
    export = finished(operators, email="gone@example.org")
    operators.store.delete(export)
    assert found(operators, address="gone@example.org") == []
    assert found(operators) == []


def test_going_on_shows_each_export_once_however_many_were_asked_for_in_one_moment(operators: Desk) -> None:
    made = {finished(operators, 60 * (number // 4), user_id=f"user-{number}").export_id for number in range(12)}
    seen: list[str] = []
    after = None
    for _ in range(10):
        page = operators.desk.find(Wanted(), 5, after)
        assert len(page.exports) <= 5
        seen += [export.export_id for export in page.exports]
        after = page.more
        if after is None:
            break
    assert after is None
    assert len(seen) == len(made)
    assert set(seen) == made


def test_nothing_more_is_promised_behind_the_last_one(operators: Desk) -> None:
    for number in range(3):
        finished(operators, user_id=f"user-{number}")
    assert operators.desk.find(Wanted(), 3).more is None
    assert operators.desk.find(Wanted(), 2).more is not None


def test_counts_are_by_status_and_cause_with_the_oldest_of_each(operators: Desk) -> None:
    waiting(operators, "memberships_unavailable", 5, user_id="user-1")
    oldest = waiting(operators, "memberships_unavailable", 90, user_id="user-2")
    failed(operators, "foreign_rows", 500)
    finished(operators, 900)
    counts = operators.desk.counts(Wanted())
    assert [(count.status, count.code, count.exports) for count in counts.counts] == [
        (ExportStatus.WAITING, "memberships_unavailable", 2),
        (ExportStatus.COMPLETED, "", 1),
        (ExportStatus.FAILED, "foreign_rows", 1),
    ]
    assert counts.complete
    assert counts.oldest_unfinished == oldest.requested_at
    assert [count.exports for count in operators.desk.counts(Wanted(user_id="user-2")).counts] == [1]


def test_a_change_of_status_moves_an_export_to_another_count(operators: Desk) -> None:
    export = stored(operators)
    assert [count.status for count in operators.desk.counts(Wanted()).counts] == [ExportStatus.QUEUED]
    operators.store.replace(export, replace(export, status=ExportStatus.CANCELLED))
    counts = operators.desk.counts(Wanted())
    assert [count.status for count in counts.counts] == [ExportStatus.CANCELLED]
    assert counts.oldest_unfinished is None


def test_where_there_is_nothing_nothing_is_found(operators: Desk) -> None:
    assert found(operators) == []
    assert operators.desk.counts(Wanted()).counts == []
    assert operators.desk.counts(Wanted()).oldest_unfinished is None


def _rest(number: int) -> str:
    return f"{number:032x}"
