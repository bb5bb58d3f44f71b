"""What every MembershipRepository promises, and GET /memberships over each of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from itertools import islice
from threading import Barrier
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_api.membership import Membership
from memberships_api.postgres_repository import PostgresMembershipRepository
from memberships_api.repository import Form, MembershipIdTaken, MembershipRepository, Page, PageRequest, Snapshot
from memberships_api.router import memberships_router
from memberships_api.sample import sample_memberships
from tests.contract.membership_databases import NewDatabase, Open, Repository

ADDERS = 8
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


def a_membership(**changes: object) -> Membership:
    return msgspec.structs.replace(next(sample_memberships(1, "user-1")), **changes)


def test_rows_come_back_with_every_field_as_it_was_added(repository: Repository) -> None:
    added = list(sample_memberships(3000, "user-1"))
    assert repository.add(added) == 3000
    page = repository.page(PageRequest("user-1", limit=3000))
    assert rows(page) == msgspec.to_builtins(added)
    assert [list(row) for row in rows(page)] == [list(msgspec.to_builtins(added[0]))] * 3000
    assert msgspec.json.decode(b"[%b]" % page.items, type=list[Membership]) == added
    assert page.snapshot == Snapshot(bound=3000, total=3000)


@given(
    names=st.lists(storable_text, min_size=1, max_size=20),
    price=st.decimals(allow_nan=False, allow_infinity=False),
)
@settings(max_examples=30)
def test_any_text_and_any_price_come_back_exactly(new_database: NewDatabase, names: list[str], price: Decimal) -> None:
    plain = format(price, "f")
    with new_database() as open_again, closing(open_again()) as repository:
        repository.add(a_membership(id=n, name=name, recurring_price=price) for n, name in enumerate(names, start=1))
        sent = rows(repository.page(PageRequest("user-1", limit=100)))
    assert [(row["name"], row["recurringPrice"]) for row in sent] == [(name, plain) for name in names]


@pytest.mark.parametrize("text", ["120", "120.50", "0", "-5.00", "-0.0", "0.0000001", "100000000000000000000.00"])
def test_a_price_is_sent_as_text_with_the_same_digits(repository: Repository, text: str) -> None:
    repository.add([a_membership(recurring_price=Decimal(text))])
    assert rows(repository.page(PageRequest("user-1", limit=1)))[0]["recurringPrice"] == text


def test_ids_and_numbers_may_need_more_than_32_bits(repository: Repository) -> None:
    numbers = [2**31 - 1, 2**31, 10**18 - 2, 10**18 - 1]
    repository.add(a_membership(id=number, billing_periods=number) for number in numbers)
    found = list(pages(repository, PageRequest("user-1", limit=1)))
    assert [(row["id"], row["billingPeriods"]) for page in found for row in rows(page)] == [(n, n) for n in numbers]


@given(names=st.lists(storable_text, min_size=1, max_size=20), limit=st.integers(1, 25))
@settings(max_examples=30)
def test_the_rows_of_a_page_are_the_same_in_every_form(new_database: NewDatabase, names: list[str], limit: int) -> None:
    with new_database() as open_again, closing(open_again()) as repository:
        repository.add(a_membership(id=n, name=name, valid_until=name) for n, name in enumerate(names, start=1))
        objects, arrays, lines = (repository.page(PageRequest("user-1", limit, form=form)) for form in Form)
    named = [list(row.values()) for row in rows(objects)]
    assert msgspec.json.decode(b"[%b]" % arrays.items) == named
    assert msgspec.json.Decoder().decode_lines(lines.items) == rows(objects)
    assert lines.items.count(b"\n") == len(named) - 1
    assert (objects.next_after, objects.snapshot) == (arrays.next_after, lines.snapshot)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("state", [None, "active"])
def test_a_page_of_no_rows_is_empty_in_every_form(repository: Repository, form: Form, state: str | None) -> None:
    repository.add(sample_memberships(5, "user-1"))
    request = PageRequest("user-2", 10, state, form=form)
    assert repository.page(request) == Page(b"", None, Snapshot(bound=0, total=0))


def test_objects_are_sent_byte_for_byte_as_ever(repository: Repository) -> None:
    """Clients compare, hash and cache answers: what makes pages faster must not show."""
    names = ['"q" \\ / \n\t\x01\x7f', "Ü\u2028 😀 <&>", "],[ },{ "]
    repository.add(a_membership(id=n, name=name, valid_until=None) for n, name in enumerate(names, start=1))
    item = (
        '{"id":ID,"uuid":"c6c289e4-9e9c-805b-8214-000000000001","name":NAME,"userId":"user-1","recurringPrice":"29.90",'
        '"validFrom":"2010-01-01","validUntil":null,"state":"active","assignedBy":"front desk","paymentMethod":"sepa",'
        '"billingInterval":"month","billingPeriods":1}'
    )
    if isinstance(repository, PostgresMembershipRepository):
        item = item.replace('":', '" : ').replace(',"', ', "')
    written = [r'"\"q\" \\ / \n\t\u0001"', '"Ü\u2028 😀 <&>"', '"],[ },{ "']
    sent = ",".join(item.replace("ID", str(n)).replace("NAME", name) for n, name in enumerate(written, start=1))
    assert repository.page(PageRequest("user-1", limit=10)).items.decode() == sent


def test_a_user_without_memberships_gets_one_empty_page(repository: Repository) -> None:
    repository.add(sample_memberships(5, "user-1"))
    assert repository.page(PageRequest("user-2", limit=10)) == Page(b"", None, Snapshot(bound=0, total=0))


@pytest.mark.parametrize(
    "request_", [PageRequest("user-1\0", limit=10), PageRequest("user-1", limit=10, state="active\0")]
)
def test_what_no_row_can_hold_is_found_in_none(repository: Repository, request_: PageRequest) -> None:
    repository.add(sample_memberships(5, "user-1"))
    assert repository.page(request_) == Page(b"", None, Snapshot(bound=0, total=0))


def test_users_are_told_apart_by_every_character(repository: Repository) -> None:
    users = ["user", "User", "user ", "usér", "use\u0301r", "' OR 1=1 --", "%", "u" * 2000]
    for number, user_id in enumerate(users, start=1):
        repository.add([a_membership(id=number, user_id=user_id)])
    assert [ids(repository.page(PageRequest(user_id, limit=10))) for user_id in users] == [
        [number] for number in range(1, len(users) + 1)
    ]


def test_pages_hold_only_the_rows_of_the_user_in_id_order(repository: Repository) -> None:
    repository.add(sample_memberships(10, "user-2", first_id=21))
    repository.add(sample_memberships(10, "user-1", first_id=11))
    repository.add(reversed(list(sample_memberships(10, "user-1", first_id=41))))
    found = list(pages(repository, PageRequest("user-1", limit=6)))
    assert [number for page in found for number in ids(page)] == [*range(11, 21), *range(41, 51)]
    assert [len(ids(page)) for page in found] == [6, 6, 6, 2]
    assert {page.snapshot for page in found} == {Snapshot(bound=50, total=20)}


def test_a_full_last_page_announces_no_other(repository: Repository) -> None:
    repository.add(sample_memberships(10, "user-1"))
    assert [len(ids(page)) for page in pages(repository, PageRequest("user-1", limit=5))] == [5, 5]


def test_the_state_filter_takes_rows_and_total_of_exactly_that_state(repository: Repository) -> None:
    added = list(sample_memberships(100, "user-1"))
    repository.add(added)
    found = list(pages(repository, PageRequest("user-1", limit=7, state="paused")))
    expected = [membership.id for membership in added if membership.state == "paused"]
    assert [number for page in found for number in ids(page)] == expected
    assert {page.snapshot for page in found} == {Snapshot(bound=expected[-1], total=len(expected))}
    assert repository.page(PageRequest("user-1", limit=7, state="PAUSED")).items == b""


def test_rows_are_counted_on_the_first_page_only(repository: Repository) -> None:
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
    new_database: NewDatabase, first: int, limit: int, between: list[tuple[str, int]], state: str | None
) -> None:
    with new_database() as open_again, closing(open_again()) as repository:
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


def test_following_the_cursor_over_http_gives_every_row_once_with_the_same_total(repository: Repository) -> None:
    app = FastAPI()
    app.include_router(memberships_router(repository, lambda _: "user-1"))
    repository.add(sample_memberships(25, "user-1"))
    found: list[int] = []
    query: dict[str, str | int] = {"limit": 4}
    with TestClient(app) as client:
        while True:
            page = client.get("/memberships", params=query).json()
            found += [row["id"] for row in page["items"]]
            assert page["total"] == 25
            if page["nextCursor"] is None:
                break
            repository.add(sample_memberships(1, "user-1", first_id=1000 + len(found)))
            query["cursor"] = page["nextCursor"]
    assert found == list(range(1, 26))


@pytest.mark.parametrize("state", ["%00", "%F0%9F%A7%98", "%27", "%25s", "%FF"])
def test_any_state_filter_is_answered(repository: Repository, state: str) -> None:
    app = FastAPI()
    app.include_router(memberships_router(repository, lambda _: "user-1"))
    with TestClient(app) as client:
        answer = client.get(f"/memberships?state={state}")
    assert (answer.status_code, answer.json()["total"]) == (200, 0)


def test_adding_is_all_or_nothing(repository: Repository) -> None:
    repository.add(sample_memberships(1, "user-2", first_id=50))
    with pytest.raises(MembershipIdTaken, match=r"A membership was not added, nor any other: .*id"):
        repository.add(sample_memberships(100, "user-1"))
    assert repository.page(PageRequest("user-1", limit=1)).snapshot.total == 0
    assert repository.add(sample_memberships(49, "user-1")) == 49


def test_an_error_while_rows_are_made_leaves_nothing_and_the_repository_usable(repository: Repository) -> None:
    def failing() -> Iterator[Membership]:
        yield from sample_memberships(10, "user-1")
        raise OSError("the source of the rows broke")

    with pytest.raises(OSError, match="the source of the rows broke"):
        repository.add(failing())
    assert repository.add(sample_memberships(3, "user-1")) == 3
    assert repository.page(PageRequest("user-1", limit=10)).snapshot.total == 3


def test_the_cursor_key_is_random_and_stays_the_same_for_a_database(new_database: NewDatabase) -> None:
    with new_database() as open_one, new_database() as open_another:
        keys = []
        for open_again in (open_one, open_one, open_another):
            with closing(open_again()) as repository:
                keys.append(repository.cursor_key())
    assert keys[0] == keys[1] != keys[2]
    assert [len(key) for key in keys] == [32, 32, 32]


def test_first_starts_at_the_same_moment_end_with_the_same_key(open_again: Open) -> None:
    barrier = Barrier(ADDERS)

    def start(_: int) -> bytes:
        barrier.wait()
        with closing(open_again()) as repository:
            return repository.cursor_key()

    with ThreadPoolExecutor(ADDERS) as threads:
        assert len(set(threads.map(start, range(ADDERS)))) == 1


def test_rows_survive_closing(open_again: Open) -> None:
    with closing(open_again()) as repository:
        repository.add(sample_memberships(4, "user-1"))
    with closing(open_again()) as repository:
        assert ids(repository.page(PageRequest("user-1", limit=10))) == [1, 2, 3, 4]


def test_threads_read_while_others_add(repository: Repository) -> None:
    def read(_: int) -> int:
        return sum(len(ids(page)) for page in pages(repository, PageRequest("user-0", limit=50)))

    def add(number: int) -> int:
        return repository.add(sample_memberships(100, f"user-{number}", first_id=number * 1000))

    repository.add(sample_memberships(500, "user-0"))
    with ThreadPoolExecutor(16) as threads:
        reads, adds = threads.map(read, range(24)), threads.map(add, range(1, ADDERS + 1))
        assert list(reads) == [500] * 24
        assert list(adds) == [100] * ADDERS
