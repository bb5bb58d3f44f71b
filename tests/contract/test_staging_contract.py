"""What merging the rows of a file promises, over every database of memberships."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_api.membership import Membership
from memberships_api.repository import PageRequest
from memberships_api.sample import sample_memberships
from memberships_api.staging import Clash, Conflict, Draft
from tests.contract.membership_databases import NewDatabase, Repository
from tests.contract.test_memberships_contract import pages, rows


def as_draft(membership: Membership, line: int = 2, **changes: Any) -> Draft:  # noqa: ANN401  (fields of a draft)
    price = format(membership.recurring_price, "f")
    return Draft(line, *msgspec.structs.astuple(membership))._replace(**{"recurring_price": price, **changes})


DRAFT = as_draft(next(sample_memberships(1, "user-1")), line=1, id=None, uuid=None)


def drafts(*changes: dict[str, Any]) -> list[Draft]:
    return [DRAFT._replace(line=number, **change) for number, change in enumerate(changes, start=2)]


def all_rows(repository: Repository, user_id: str = "user-1") -> list[dict[str, Any]]:
    return rows(repository.page(PageRequest(user_id, limit=10_000)))


def conflicts(repository: Repository, staged: Iterable[Draft], *, update: bool = False) -> list[Conflict]:
    with repository.staged(staged, [], update=update) as staging:
        return list(staging.conflicts())


def change(repository: Repository, staged: Iterable[Draft], silent: Iterable[str] = ()) -> tuple[int, int]:
    with repository.staged(staged, list(silent), update=True) as staging:
        assert list(staging.conflicts()) == []
        return staging.found(), staging.change()


def there(*changes: dict[str, object]) -> list[Membership]:
    return [
        msgspec.structs.replace(membership, **change)
        for membership, change in zip(sample_memberships(len(changes), "user-1"), changes, strict=True)
    ]


def test_new_drafts_come_back_in_the_order_of_lines_with_every_field(repository: Repository) -> None:
    membership = next(sample_memberships(1, "user-1"))
    staged = [as_draft(membership, line=5), as_draft(membership, line=3, id=2, uuid="other")]
    with repository.staged(staged, [], update=False) as staging:
        assert [draft for batch in staging.new() for draft in batch] == staged[::-1]


def test_many_drafts_are_added_while_they_are_read(repository: Repository) -> None:
    count = 12_000
    staged = (DRAFT._replace(line=line, id=line, uuid=f"u-{line}") for line in range(1, count + 1))
    with repository.staged(staged, [], update=False) as staging:
        for batch in staging.new():
            staging.add(draft.membership(draft.line, str(draft.uuid)) for draft in batch)
    assert repository.page(PageRequest("user-1", limit=1)).snapshot.total == count


def test_a_block_that_raises_has_changed_nothing(repository: Repository) -> None:
    [membership] = there({})
    repository.add([membership])
    staged = [as_draft(membership, name="Other"), as_draft(membership, line=3, id=9, uuid="u-9")]
    with pytest.raises(RuntimeError), repository.staged(staged, [], update=True) as staging:  # noqa: PT012  (its block)
        assert staging.change() == 1
        for batch in staging.new():
            staging.add(draft.membership(9, "u-9") for draft in batch)
        raise RuntimeError
    assert all_rows(repository) == msgspec.to_builtins([membership])
    assert change(repository, staged[:1]) == (1, 1)  # and another import can begin


def test_an_error_while_drafts_are_made_leaves_the_repository_usable(repository: Repository) -> None:
    def failing() -> Iterator[Draft]:
        yield DRAFT
        raise OSError("the source of the rows broke")

    with pytest.raises(OSError, match="the source of the rows broke"), repository.staged(failing(), [], update=False):
        raise AssertionError("there is nothing to merge")
    assert conflicts(repository, [DRAFT]) == []


def test_ids_and_uuids_that_two_rows_have_are_conflicts(repository: Repository) -> None:
    staged = drafts({"id": 1}, {"id": 1}, {"uuid": "a"}, {"id": 2, "uuid": "a"}, {"id": 3, "uuid": "b"})
    expected = [
        Conflict(2, Clash.ID_TWICE, "1", "2"),
        Conflict(3, Clash.ID_TWICE, "1", "2"),
        Conflict(4, Clash.UUID_TWICE, "a", "2"),
        Conflict(5, Clash.UUID_TWICE, "a", "2"),
    ]
    assert conflicts(repository, staged) == conflicts(repository, staged, update=True) == expected


def test_ids_and_uuids_that_are_taken_are_conflicts_of_adding(repository: Repository) -> None:
    repository.add(there({"id": 5, "uuid": "u-5"}))
    staged = drafts({"id": 5}, {"uuid": "u-5"}, {"id": 5 + 1, "uuid": "u-5"}, {"id": 7, "uuid": "u-7"})[:2]
    staged += drafts({}, {}, {"id": 7, "uuid": "u-7"})[2:]
    assert conflicts(repository, staged) == [
        Conflict(2, Clash.ID_TAKEN, "5", ""),
        Conflict(3, Clash.UUID_TAKEN, "u-5", "5"),
    ]


@pytest.mark.parametrize("update", [False, True])
def test_a_new_id_below_the_highest_of_its_user_is_a_conflict(repository: Repository, update: bool) -> None:  # noqa: FBT001
    repository.add(there({"id": 100}))
    staged = drafts({"id": 99}, {"id": 101}, {"id": 98, "user_id": "user-2"})
    assert conflicts(repository, staged, update=update) == [Conflict(2, Clash.ID_TOO_LOW, "99", "100")]


def test_an_update_never_hands_a_membership_to_another_user(repository: Repository) -> None:
    repository.add(there({"id": 5, "uuid": "u-5"}, {"id": 6, "uuid": "u-6"}))
    staged = drafts({"id": 5, "user_id": "user-2"}, {"uuid": "u-6", "user_id": "User-1"})
    assert conflicts(repository, staged, update=True) == [
        Conflict(2, Clash.OTHER_USER, "user-2", "5"),
        Conflict(3, Clash.OTHER_USER, "User-1", "6"),
    ]


def test_an_update_tells_two_rows_of_one_membership_and_a_uuid_of_another(repository: Repository) -> None:
    repository.add(there({"id": 5, "uuid": "u-5"}, {"id": 6, "uuid": "u-6"}))
    assert conflicts(repository, drafts({"id": 5}, {"uuid": "u-5"}), update=True) == [
        Conflict(3, Clash.SAME_MEMBERSHIP, "u-5", "5")
    ]
    assert conflicts(repository, drafts({"id": 5, "uuid": "u-6"}), update=True) == [
        Conflict(2, Clash.UUID_TAKEN, "u-6", "6")
    ]


def test_an_update_finds_rows_by_id_or_else_by_uuid_and_changes_only_what_differs(repository: Repository) -> None:
    memberships = there({"id": 5, "uuid": "u-5"}, {"id": 6, "uuid": "u-6"}, {"id": 7, "uuid": "u-7"})
    repository.add(memberships)
    five, six, seven = memberships
    staged = [
        as_draft(five, line=2, uuid=None, name="Platinum"),
        as_draft(six, line=3, id=None, recurring_price="1.50"),
        as_draft(seven, line=4),
        as_draft(seven, line=5, id=8, uuid="u-8"),
    ]
    assert change(repository, staged) == (3, 2)
    found = {row["id"]: row for row in all_rows(repository)}
    assert found[5] == {**msgspec.to_builtins(five), "name": "Platinum"}
    assert found[6] == {**msgspec.to_builtins(six), "recurringPrice": "1.50"}
    assert found[7] == msgspec.to_builtins(seven)


def test_what_a_file_is_silent_about_stays_as_it_is(repository: Repository) -> None:
    [membership] = there({"valid_until": "2031-01-01", "assigned_by": "desk", "payment_method": "sepa"})
    repository.add([membership])
    nothing = as_draft(membership, valid_until=None, assigned_by=None, payment_method=None)
    assert change(repository, [nothing], ["valid_until", "assigned_by", "payment_method"]) == (1, 0)
    assert change(repository, [nothing], ["valid_until"]) == (1, 1)
    [row] = all_rows(repository)
    assert (row["validUntil"], row["assignedBy"], row["paymentMethod"]) == ("2031-01-01", None, None)


def test_an_end_that_stays_may_not_come_before_a_start_that_moves(repository: Repository) -> None:
    [membership] = there({"valid_until": "2031-01-01"})
    repository.add([membership])
    with repository.staged([as_draft(membership, valid_until=None, valid_from="2032-01-01")], ["valid_until"],
                           update=True) as staging:  # fmt: skip
        assert list(staging.conflicts()) == [Conflict(2, Clash.ENDS_BEFORE_START, "2031-01-01", "2032-01-01")]


def test_the_highest_id_is_that_of_file_and_database(repository: Repository) -> None:
    with repository.staged(drafts({}), [], update=False) as staging:
        assert staging.highest_id() == 0
    repository.add(there({"id": 5}))
    with repository.staged(drafts({"id": 4}), [], update=False) as staging:
        assert staging.highest_id() == 5
    with repository.staged(drafts({"id": 40}, {}), [], update=False) as staging:
        assert staging.highest_id() == 40


@given(
    limit=st.integers(1, 7),
    updates=st.lists(
        st.lists(st.tuples(st.integers(1, 25), st.sampled_from(["a", "b"])), unique_by=lambda row: row[0])
    ),
)
@settings(max_examples=30, deadline=None)
def test_pages_read_during_updates_hold_every_row_once(
    new_database: NewDatabase, limit: int, updates: list[list[tuple[int, str]]]
) -> None:
    with new_database() as open_again, closing(open_again()) as repository:
        original = {membership.id: membership for membership in sample_memberships(20, "user-1")}
        repository.add(original.values())
        again, found = iter(updates), list[int]()
        for page in pages(repository, PageRequest("user-1", limit)):
            found += [row["id"] for row in rows(page)]
            assert page.snapshot.total == 20
            for update in islice(again, 1):
                merge(repository, update)
        assert found == list(range(1, 21))


def merge(repository: Repository, update: list[tuple[int, str]]) -> None:
    staged = [DRAFT._replace(line=number, id=number, uuid=f"u-{number}", name=name) for number, name in update]
    with repository.staged(staged, [], update=True) as staging:
        if list(staging.conflicts()):  # a new row below one that an earlier update added
            return
        staging.change()
        for batch in staging.new():
            staging.add(draft.membership(draft.line, str(draft.uuid)) for draft in batch)
