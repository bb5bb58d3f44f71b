import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_api.membership import Membership
from memberships_api.repository import MembershipIdTaken, MembershipRepository, Page, PageRequest, Snapshot
from memberships_api.sample import sample_memberships
from memberships_api.sqlite_repository import SqliteMembershipRepository

storable_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def pages(repository: MembershipRepository, request: PageRequest) -> Iterator[Page]:
    while True:
        page = repository.page(request)
        yield page
        if page.next_after is None:
            return
        request = PageRequest(request.user_id, request.limit, request.state, page.next_after, page.snapshot)


def rows(page: Page) -> list[dict[str, Any]]:
    decoded: list[dict[str, Any]] = msgspec.json.decode(b"[%b]" % page.items)
    return decoded


def ids(page: Page) -> list[int]:
    return [row["id"] for row in rows(page)]


def test_rows_come_back_with_every_field_as_it_was_added(repository: SqliteMembershipRepository) -> None:
    added = list(sample_memberships(3000, "user-1"))
    assert repository.add(added) == 3000
    page = repository.page(PageRequest("user-1", limit=3000))
    assert rows(page) == msgspec.to_builtins(added)
    assert msgspec.json.decode(b"[%b]" % page.items, type=list[Membership]) == added
    assert page.snapshot == Snapshot(bound=3000, total=3000)


@given(
    names=st.lists(storable_text, min_size=1, max_size=20),
    price=st.decimals(allow_nan=False, allow_infinity=False),
)
@settings(max_examples=30)
def test_any_text_and_any_price_come_back_exactly(names: list[str], price: Decimal) -> None:
    with TemporaryDirectory() as folder, closing(SqliteMembershipRepository(Path(folder) / "m.sqlite3")) as repository:
        template = next(sample_memberships(1, "user-1"))
        plain = format(price, "f")
        for number, name in enumerate(names, start=1):
            repository.add([msgspec.structs.replace(template, id=number, name=name, recurring_price=price)])
        sent = rows(repository.page(PageRequest("user-1", limit=100)))
        assert [(row["name"], row["recurringPrice"]) for row in sent] == [(name, plain) for name in names]


@pytest.mark.parametrize("text", ["120", "120.50", "0", "-5.00", "0.0000001", "100000000000000000000.00"])
def test_a_price_is_sent_as_text_with_the_same_digits(repository: SqliteMembershipRepository, text: str) -> None:
    template = next(sample_memberships(1, "user-1"))
    repository.add([msgspec.structs.replace(template, recurring_price=Decimal(text))])
    assert rows(repository.page(PageRequest("user-1", limit=1)))[0]["recurringPrice"] == text


def test_a_user_without_memberships_gets_one_empty_page(repository: SqliteMembershipRepository) -> None:
    repository.add(sample_memberships(5, "user-1"))
    assert repository.page(PageRequest("user-2", limit=10)) == Page(b"", None, Snapshot(bound=0, total=0))


def test_pages_hold_only_the_rows_of_the_user_in_id_order(repository: SqliteMembershipRepository) -> None:
    repository.add(sample_memberships(10, "user-2", first_id=21))
    repository.add(sample_memberships(10, "user-1", first_id=11))
    repository.add(reversed(list(sample_memberships(10, "user-1", first_id=41))))
    found = list(pages(repository, PageRequest("user-1", limit=6)))
    assert [number for page in found for number in ids(page)] == [*range(11, 21), *range(41, 51)]
    assert [len(ids(page)) for page in found] == [6, 6, 6, 2]
    assert {page.snapshot for page in found} == {Snapshot(bound=50, total=20)}


def test_a_full_last_page_announces_no_other(repository: SqliteMembershipRepository) -> None:
    repository.add(sample_memberships(10, "user-1"))
    assert [len(ids(page)) for page in pages(repository, PageRequest("user-1", limit=5))] == [5, 5]


def test_the_state_filter_takes_rows_and_total_of_exactly_that_state(repository: SqliteMembershipRepository) -> None:
    added = list(sample_memberships(100, "user-1"))
    repository.add(added)
    found = list(pages(repository, PageRequest("user-1", limit=7, state="paused")))
    expected = [membership.id for membership in added if membership.state == "paused"]
    assert [number for page in found for number in ids(page)] == expected
    assert {page.snapshot for page in found} == {Snapshot(bound=expected[-1], total=len(expected))}
    assert repository.page(PageRequest("user-1", limit=7, state="PAUSED")).items == b""


def test_rows_are_counted_on_the_first_page_only(repository: SqliteMembershipRepository) -> None:
    repository.add(sample_memberships(10, "user-1"))
    told = Snapshot(bound=8, total=4711)
    page = repository.page(PageRequest("user-1", limit=3, after=6, snapshot=told))
    assert page.snapshot is told
    assert ids(page) == [7, 8]
    assert page.next_after is None


@given(
    first=st.integers(0, 30),
    limit=st.integers(1, 12),
    between=st.lists(st.tuples(st.sampled_from(["user-1", "user-2"]), st.integers(0, 5)), max_size=12),
    state=st.sampled_from([None, "active", "pending"]),
)
@settings(max_examples=60)
def test_paging_returns_the_rows_of_the_first_page_s_moment_whatever_is_added_between(
    first: int, limit: int, between: list[tuple[str, int]], state: str | None
) -> None:
    with TemporaryDirectory() as folder, closing(SqliteMembershipRepository(Path(folder) / "m.sqlite3")) as repository:
        original = list(sample_memberships(first, "user-1"))
        repository.add(original)
        expected = [row.id for row in original if state is None or row.state == state]
        found: list[int] = []
        next_id, additions = first + 1, iter(between)
        for page in pages(repository, PageRequest("user-1", limit, state)):
            found += ids(page)
            assert page.snapshot.total == len(expected)
            for user_id, count in islice(additions, 2):
                repository.add(sample_memberships(count, user_id, first_id=next_id))
                next_id += count
        assert found == expected


def test_adding_is_all_or_nothing(repository: SqliteMembershipRepository) -> None:
    repository.add(sample_memberships(1, "user-2", first_id=50))
    with pytest.raises(MembershipIdTaken, match=r"nor any other: .*memberships\.id"):
        repository.add(sample_memberships(100, "user-1"))
    assert repository.page(PageRequest("user-1", limit=1)).snapshot.total == 0


def test_an_error_while_rows_are_made_leaves_nothing_and_the_repository_usable(
    repository: SqliteMembershipRepository,
) -> None:
    def failing() -> Iterator[Membership]:
        yield from sample_memberships(10, "user-1")
        raise OSError("the source of the rows broke")

    with pytest.raises(OSError, match="the source of the rows broke"):
        repository.add(failing())
    assert repository.add(sample_memberships(3, "user-1")) == 3
    assert repository.page(PageRequest("user-1", limit=10)).snapshot.total == 3


def test_what_is_occupied_is_told_for_the_asked_users_and_ids(repository: SqliteMembershipRepository) -> None:
    nothing = repository.occupied({"user-1"}, [1, 2])
    assert (nothing.highest_id, nothing.highest_id_by_user, nothing.ids) == (0, {}, set())
    repository.add(sample_memberships(3, "user-1", first_id=10))
    repository.add(sample_memberships(3, "user-2", first_id=20))
    occupied = repository.occupied({"user-1", "new"}, [9, 10, 22, 23])
    assert occupied.highest_id == 22
    assert occupied.highest_id_by_user == {"user-1": 12}
    assert occupied.ids == {10, 22}


def test_the_cursor_key_is_random_and_stays_the_same_for_a_file(tmp_path: Path) -> None:
    keys = []
    for name in ("a.sqlite3", "a.sqlite3", "b.sqlite3"):
        with closing(SqliteMembershipRepository(tmp_path / name)) as repository:
            keys.append(repository.cursor_key())
    assert keys[0] == keys[1] != keys[2]
    assert [len(key) for key in keys] == [32, 32, 32]


def test_rows_survive_closing_the_file(tmp_path: Path) -> None:
    with closing(SqliteMembershipRepository(tmp_path / "m.sqlite3")) as repository:
        repository.add(sample_memberships(4, "user-1"))
    with closing(SqliteMembershipRepository(tmp_path / "m.sqlite3")) as repository:
        assert ids(repository.page(PageRequest("user-1", limit=10))) == [1, 2, 3, 4]


def test_the_file_is_in_wal_mode(repository: SqliteMembershipRepository, tmp_path: Path) -> None:
    repository.add(sample_memberships(1, "user-1"))
    with closing(sqlite3.connect(tmp_path / "memberships.sqlite3")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_threads_read_while_others_add(repository: SqliteMembershipRepository) -> None:
    def read(_: int) -> int:
        return sum(len(ids(page)) for page in pages(repository, PageRequest("user-0", limit=50)))

    def add(number: int) -> int:
        return repository.add(sample_memberships(100, f"user-{number}", first_id=number * 1000))

    repository.add(sample_memberships(500, "user-0"))
    with ThreadPoolExecutor(8) as threads:
        reads, adds = threads.map(read, range(24)), threads.map(add, range(1, 9))
        assert list(reads) == [500] * 24
        assert list(adds) == [100] * 8
