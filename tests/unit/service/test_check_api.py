"""Whether an API and its profile fit, over an API in memory."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberships_export.domain.errors import (
    MembershipsContractBroken,
    MembershipsRefused,
    MembershipsUnavailable,
    NothingThere,
)
from memberships_export.domain.source.asking import User
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.service.operator.api_report import Report
from memberships_export.service.operator.check_api import CheckApi
from tests.fakes.awaited import AsksAhead
from tests.readers import a_reader

Row = dict[str, Any]
Reply = Answer | Exception
USER = User("42", "anna@example.org")
BASE = "https://api.example.org"


def profile(
    paginator: str = 'type = "cursor", cursor_path = "next", cursor_param = "after", size_param = "limit", size = 3',
    rows: str = 'key = ["id"], owner = "customer"',
    total: str = "",
    columns: str = '{ name = "id" }, { name = "name" }',
    path: str = '"data"',
) -> str:
    return f"""
version = 1
columns = [{columns}]
request = {{ path = "/memberships", params = {{ user = "{{user.id}}" }} }}
auth = {{ type = "bearer", token = "env:TOKEN" }}
rows = {{ path = {path}, {rows} }}
paginator = {{ {paginator} }}
{total}
"""


SINGLE = 'type = "single_page"'
LINK = 'type = "header_link", size_param = "limit", size = 3'
JSON_LINK = 'type = "json_link", next_url_path = "next", size_param = "limit", size = 3'
PAGES = 'type = "page_number", size_param = "limit", size = 3'
OFFSET = 'type = "offset", size_param = "limit", size = 3'
LAST_KEY = 'type = "last_key", param = "after", size_param = "limit", size = 3'


def row(number: int, **changes: object) -> Row:
    return {"id": f"m-{number}", "name": "Adult", "customer": "42"} | changes


def page(*rows: Row, headers: Mapping[str, str] | None = None, **around: object) -> Answer:
    return Answer(json.dumps({"data": rows, **around}).encode(), headers or {})


@dataclass
class Api(AsksAhead):
    """Answers the user's calls one after the other; `nobody` is what a user that cannot exist gets."""

    replies: list[Reply]
    nobody: Reply = field(default_factory=page)
    calls: list[Call] = field(default_factory=list)
    base_url: str = BASE

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:  # noqa: ARG002  (it needs no key)
        self.calls.append(call)
        reply = self.replies.pop(0) if call.user_id == "42" else self.nobody
        if isinstance(reply, Exception):
            raise reply
        return reply


def a_clock() -> Callable[[], float]:
    """A second passes with each look."""
    ticks = count()
    return lambda: float(next(ticks))


def check(text: str, *replies: Reply, nobody: Reply | None = None) -> Report:
    api = Api(list(replies), page() if nobody is None else nobody)
    report = CheckApi(source=api, reader=a_reader(text), page_size=5000, seconds=a_clock())(USER)
    assert api.replies == [], "each page is asked for"
    return report


def told(report: Report) -> dict[str, str]:
    return {problem.about: problem.text for problem in report.problems}


FIRST, SECOND = page(row(1), row(2), row(3), next="c2"), page(row(4), next=None)


def test_where_all_fits_there_is_no_problem_and_everything_that_was_found() -> None:
    report = check(profile(), FIRST, SECOND)

    assert report.problems == []
    assert [(one.number, one.asked, one.rows, one.milliseconds) for one in report.pages] == [
        (1, 3, 3, 1000),
        (2, 3, 1, 1000),
    ]
    assert report.key
    assert (report.key.distinct, report.key.of, report.key.order) == (3, 3, "rising")
    assert report.owner
    assert (report.owner.own, report.owner.of) == (3, 3)
    assert report.canary
    assert (report.canary.rows, report.canary.words) == (0, "the filter works")
    assert (report.repeated, report.proof.grade, report.rows_per_second) == (0, Grade.ENDED, 3)
    assert [(column.name, column.filled) for column in report.columns] == [("id", 3), ("name", 3)]


def test_all_columns_that_do_not_fit_are_told_and_the_rest_is_looked_at_nevertheless() -> None:
    columns = '{ name = "id" }, { name = "name", type = "integer" }, { name = "plan" }, { name = "x", path = "a.b" }'
    report = check(profile(columns=columns), FIRST, page(row(1), next=None))

    assert {problem.about for problem in report.problems} == {"name", "plan", "x", "page 2"}
    assert told(report)["page 2"].startswith("1 of 3 keys of page 1 came again")
    assert report.rows_per_second == 3


def test_what_page_2_alone_has_wrong_is_told_too() -> None:
    assert told(check(profile(), FIRST, page(row(4, name=7)))) == {
        "name": "$.data[0].name is a whole number, where the profile says text"
    }


def test_what_both_pages_have_wrong_is_told_once() -> None:
    report = check(profile(), page(row(1), row(2), row(3, name=7), next="c2"), page(row(4, name=8), next=None))

    assert len(report.problems) == 1


@pytest.mark.parametrize(
    "error",
    [
        MembershipsRefused("It does not accept the token."),
        MembershipsContractBroken("It answered with a redirect."),
        NothingThere("It answered with status 400."),
    ],
)
def test_an_api_that_refuses_is_told_in_the_words_of_the_worker_and_once(error: Exception) -> None:
    report = check(profile(), error, nobody=error)

    assert [problem.text for problem in report.problems] == [str(error)]
    assert (report.pages, report.columns) == ([], ())
    assert report.canary
    assert (report.canary.rows, report.canary.words) == (None, "it proves nothing")


def test_nobody_is_asked_for_where_no_answer_came() -> None:
    api = Api([MembershipsUnavailable("No answer within 30 seconds.")])
    report = CheckApi(source=api, reader=a_reader(profile()), page_size=5000, seconds=a_clock())(USER)

    assert told(report) == {"page 1": "No answer within 30 seconds."}
    assert len(api.calls) == 1


def test_what_is_no_page_is_told_in_the_words_of_the_worker() -> None:
    html = Answer(b"<html><title>Log in</title></html>")
    report = check(profile(), html)

    assert told(report) == {
        "page 1": "The memberships API sent a page that breaks its contract: it is an HTML page: “Log in”."
    }


def test_rows_that_are_not_where_the_profile_says_are_told_with_what_is_there() -> None:
    report = check(profile(), Answer(b'{"items": [], "next": null}'))

    assert told(report) == {"rows": '$ has no "data"; it has: items, next'}


def test_rows_of_others_are_counted() -> None:
    report = check(profile(), page(row(1), row(2, customer="43"), row(3, customer=42), next="c2"))

    assert told(report) == {"owner": "1 of 3 rows have another owner at customer. An export would fail."}


def test_keys_that_come_twice_are_counted_without_being_told() -> None:
    report = check(profile(), page(row(1), row(1), row(2), next="c2"))

    assert told(report) == {"key": "2 of 3 keys are distinct: id must tell all rows apart."}


@pytest.mark.parametrize("order, numbers", [("rising", (1, 3, 2)), ("falling", (1, 2, 3))])
def test_keys_in_another_order_are_told(order: str, numbers: tuple[int, ...]) -> None:
    text = profile(rows=f'key = ["id"], owner = "customer", order = "{order}"', columns='{ name = "name" }')
    report = check(text, page(*(row(0, id=number) for number in numbers), next="c2"))

    assert told(report)["key"].startswith(f"The keys are not {order}, as rows.order says")


def test_keys_in_another_order_on_page_2_are_told() -> None:
    text = profile(rows='key = ["id"], owner = "customer", order = "rising"', columns='{ name = "name" }')
    report = check(text, page(row(0, id=5), row(0, id=6), row(0, id=7), next="c2"), page(row(0, id=1), next=None))

    assert told(report)["key"].startswith("The keys are not rising")


def test_a_page_that_leads_back_is_told() -> None:
    report = check(profile(), FIRST, page(row(4), next="c2"))

    assert "leads back to an earlier one" in told(report)["page 2"]


# --- Nobody -----------------------------------------------------------------------------------------------------------


SCOPED = profile(rows='key = ["id"]')


def test_an_api_without_owners_must_have_no_rows_for_nobody() -> None:
    report = check(SCOPED, FIRST, SECOND, nobody=page(row(1), row(2)))

    assert told(report)["canary"].startswith("The memberships API sent 2 rows for a user that cannot exist")
    assert report.canary
    assert (report.canary.rows, report.canary.words) == (2, "the filter does not work")


@pytest.mark.parametrize("nobody", [page(), NothingThere("404")])
def test_an_api_without_owners_that_has_none_is_fine(nobody: Reply) -> None:
    report = check(SCOPED, FIRST, SECOND, nobody=nobody)

    assert (report.problems, report.proof.owned) == ([], False)


@pytest.mark.parametrize("nobody", [MembershipsContractBroken("405"), MembershipsRefused("403")])
def test_an_api_without_owners_that_does_not_answer_for_nobody_proves_nothing(nobody: Reply) -> None:
    assert told(check(SCOPED, FIRST, SECOND, nobody=nobody)) == {"canary": str(nobody)}


def test_an_api_with_owners_may_refuse_nobody_and_ignore_its_filter() -> None:
    refuses = check(profile(), FIRST, SECOND, nobody=MembershipsRefused("It answered with status 403."))
    ignores = check(profile(), FIRST, SECOND, nobody=page(row(1)))

    assert (refuses.problems, ignores.problems) == ([], [])
    assert "the API ignores its filter" in ignores.notes[0]


def test_rows_for_nobody_count_even_where_they_do_not_fit() -> None:
    report = check(SCOPED, FIRST, SECOND, nobody=page(row(1, name=7)))

    assert report.canary
    assert report.canary.rows == 1


def test_nobody_can_be_asked_for_alone() -> None:
    api = Api([], NothingThere("404"))
    report = CheckApi(source=api, reader=a_reader(SCOPED), page_size=5000, seconds=a_clock()).nobody(User("1", ""))

    assert (report.problems, len(api.calls)) == ([], 1)
    assert api.calls[0].user_id == "2147483629"


# --- Ways on ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "paginator, answer, words",
    [
        (JSON_LINK, page(next=None), "This user has no memberships there"),
        (SINGLE, page(), "This user has no memberships there"),
        (JSON_LINK, page(row(1), next=None), "This user has one page, so page 2 was not looked at"),
    ],
)
def test_a_user_with_too_little_to_look_at_is_told(paginator: str, answer: Answer, words: str) -> None:
    (note,) = check(profile(paginator), answer).notes

    assert note.startswith(words)


def test_all_rows_in_one_answer_are_all_there_is_to_look_at() -> None:
    assert check(profile(SINGLE), page(row(1))).notes == []


def test_a_profile_of_which_no_column_fits_is_looked_at_nevertheless() -> None:
    report = check(profile(columns='{ name = "x" }, { name = "y" }'), FIRST, SECOND)

    assert {problem.about for problem in report.problems} == {"x", "y"}
    assert (len(report.pages), report.repeated) == (2, 0)


def test_a_size_that_the_api_caps_is_named() -> None:
    text = profile('type = "cursor", cursor_path = "next", cursor_param = "after", size_param = "limit", size = 100')

    assert (check(text, FIRST, SECOND).cap, check(profile(), FIRST, SECOND).cap) == (3, None)


ODATA = Answer(json.dumps({"data": [row(1)], "@odata.nextLink": "x"}).encode())
SORTED = 'key = ["id"], owner = "customer", order = "rising"'


@pytest.mark.parametrize(
    "paginator, answer, about, words",
    [
        (SINGLE, page(row(1), next="c2"), "next", "$.next names another page"),
        (SINGLE, page(row(1), links={"next": "https://x"}), "next", "$.links.next names another page"),
        (SINGLE, ODATA, "next", '$."@odata.nextLink" names another page'),
        (SINGLE, page(row(1), headers={"link": '<https://x>; rel="next"'}), "next", "the header Link names another"),
        (SINGLE, page(row(1), has_more=True), "has_more", "$.has_more says whether there is another page"),
        (SINGLE, page(row(1), meta={"total": 240}), "total", "$.meta.total says how many rows there are"),
        (SINGLE, page(row(1), count=240), "total", "$.count says how many rows there are"),
        (SINGLE, page(row(1), headers={"x-total-count": "9"}), "total", "the header x-total-count says how many"),
        (LAST_KEY, page(has_more=False), "has_more", "name it in has_more_path"),
        (PAGES, page(total=0), "total", 'total = { path = "total" }, or { from = "none" }'),
        (JSON_LINK, page(row(1), nextCursor="c2", next=None), "next", "$.nextCursor names another page"),
        (JSON_LINK, page(row(1), row(2), row(3)), "next", '$ has no "next"; it has: data, and the page is as full as'),
        (LINK, page(row(1), row(2), row(3)), "next", "there is no header Link, and the page is as full as can be"),
    ],
)
def test_signs_of_more_rows_that_the_profile_does_not_use_are_problems(
    paginator: str, answer: Answer, about: str, words: str
) -> None:
    assert words in told(check(profile(paginator, rows=SORTED), answer))[about]


@pytest.mark.parametrize(
    "answer, place",
    [
        (page(row(1), next="c2"), "$.next"),
        (page(row(1), headers={"link": '<https://x>; rel="next"'}), "the header Link"),
    ],
)
def test_a_next_page_that_is_named_beside_counted_ones_is_worth_knowing(answer: Answer, place: str) -> None:
    report = check(profile(LAST_KEY), answer, page(row(2)))

    assert report.problems == []
    assert f"Page 1 names another page at {place}; the profile goes on by last_key instead." in report.notes


@pytest.mark.parametrize(
    "paginator, total, answer",
    [
        (SINGLE, "", page(row(1), next=None, has_more=False, count=1)),
        (SINGLE, '[total]\nfrom = "none"', page(row(1), total=1)),
        (JSON_LINK, "", page(row(1), next=None, has_more=False)),
        (JSON_LINK, "", page(row(1))),
        (JSON_LINK, "", page(row(1), row(2), row(3), next=None)),
        (LINK, "", page(row(1), row(2), row(3), headers={"link": '<https://x>; rel="first"'})),
        (LINK, '[total]\npath = "total"', page(row(1), row(2), row(3), total=3, headers={"link": "<x>; rel=prev"})),
    ],
)
def test_a_last_page_that_says_so_is_no_problem(paginator: str, total: str, answer: Answer) -> None:
    assert check(profile(paginator, total=total), answer).problems == []


def test_a_total_that_is_declared_and_not_there_is_told() -> None:
    report = check(profile(total='[total]\npath = "meta.total"'), FIRST)

    assert "no total at meta.total" in next(iter(told(report).values()))


def test_a_total_that_says_more_than_came_is_told_with_the_name_of_the_next_page_that_is_not_there() -> None:
    report = check(profile(JSON_LINK, total='[total]\npath = "total"'), page(row(1), total=240, links={}))

    assert told(report)["total"] == "The memberships API announced 240 memberships and sent 1."
    assert '$ has no "next"; it has: data, total, links' in told(report)["next"]


def test_a_link_to_another_host_is_told_and_not_followed() -> None:
    report = check(profile(JSON_LINK), page(row(1), next="https://elsewhere.example/memberships?page=2"))

    assert "leads to another host (elsewhere.example" in told(report)["page 1"]
    assert report.next
    assert report.next.origin == "https://elsewhere.example"


def test_a_link_with_a_path_that_ends_with_the_user_is_followed() -> None:
    text = profile(JSON_LINK).replace('"/memberships"', '"/memberships/{user.id}"')

    assert check(text, page(row(1), next="/memberships/42?page=2"), page(row(2))).problems == []


def test_an_offset_asks_one_row_back_and_that_is_no_row_twice() -> None:
    report = check(profile(OFFSET, rows=SORTED), page(row(1), row(2), row(3)), page(row(3), row(4)))

    assert (report.problems, report.repeated) == ([], 0)


def test_page_numbers_that_the_api_ignores_are_told() -> None:
    report = check(profile(PAGES, rows=SORTED), page(row(1), row(2), row(3)), page(row(1), row(2), row(3)))

    assert told(report)["page 2"].startswith("3 of 3 keys of page 1 came again")
    assert report.proof.grade is Grade.GUESSED
    assert "Nothing shows whether rows move between pages" in report.notes[0]


def test_an_id_that_cannot_stand_in_the_path_is_told() -> None:
    text = profile().replace('path = "/memberships", params = { user = "{user.id}" }', 'path = "/m/{user.id}"')
    report = CheckApi(source=Api([]), reader=a_reader(text), page_size=5, seconds=a_clock())(User("a/b", ""))

    assert "page 1" in told(report)


def test_queries_go_on_from_the_place_that_page_1_names() -> None:
    api = Api([FIRST, SECOND])
    CheckApi(source=api, reader=a_reader(profile()), page_size=5000, seconds=a_clock())(USER)

    queries = [dict(parse_qsl(call.query)) for call in api.calls]
    assert queries[:2] == [{"user": "42", "limit": "3"}, {"user": "42", "limit": "3", "after": "c2"}]
    assert queries[2] == {"user": "2147483629", "limit": "3"}


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "id", "next", "total"]), inner)
    ),
    max_leaves=8,
)
ROWS = st.lists(
    st.fixed_dictionaries({"id": st.integers(0, 3) | ANYTHING, "name": st.text() | ANYTHING, "customer": st.just("42")})
)
PAGE = st.fixed_dictionaries({"data": ROWS | ANYTHING, "next": st.just("c2") | ANYTHING, "total": ANYTHING}) | ANYTHING


@settings(deadline=None)
@given(st.lists(PAGE, min_size=3, max_size=3), st.sampled_from([SINGLE, JSON_LINK, LINK, PAGES, OFFSET, LAST_KEY]))
def test_whatever_comes_is_reported(sent: list[Any], paginator: str) -> None:
    first, second, nobody = (Answer(json.dumps(one).encode(), {"link": "<x?a=1>; rel=next"}) for one in sent)
    text = profile(paginator, rows=SORTED, total='[total]\npath = "total"\noptional = true')
    api = Api([first, second], nobody)

    CheckApi(source=api, reader=a_reader(text), page_size=5000, seconds=a_clock())(USER)
    assert 2 <= len(api.calls) <= 3
