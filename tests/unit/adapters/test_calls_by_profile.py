"""One call as a profile says: what leaves, what comes back, and what is told when it goes wrong."""

import json
import logging
import traceback
from contextlib import suppress
from typing import Any

import pytest

from memberships_export.adapters.source.call import HttpLimits
from memberships_export.adapters.source.headers import request_headers
from memberships_export.adapters.source.wording import Wording
from memberships_export.domain.errors import (
    ExportError,
    MembershipsContractBroken,
    MembershipsRefused,
    MembershipsUnavailable,
    NothingThere,
    PlaceForgotten,
)
from memberships_export.domain.source.exchange import TOTAL_HEADERS, Answer, Call
from memberships_export.domain.source.profile import ServiceJwt
from memberships_export.logs.about import about
from rig.services.recording_api import RecordingApi, Reply
from tests.unit.adapters.asking import PAGE, known, source

WHERE = "/base/v1/members/{user.id}/memberships"


def _failure(reply: Reply, call: Call = PAGE, **tables: Any) -> ExportError:  # noqa: ANN401
    with RecordingApi(lambda _: reply) as api, pytest.raises(ExportError) as failure:
        source(f"{api.url}/base").fetch(call, known(**tables))
    return failure.value


def _answer(*headers: tuple[str, str], **tables: Any) -> Answer:  # noqa: ANN401
    with RecordingApi(lambda _: Reply(headers=headers)) as api:
        return source(api.url).fetch(PAGE, known(**tables))


def test_a_call_leaves_as_it_was_made() -> None:
    call = Call(
        user_id="anna",
        path="/graph%20ql",
        query="a=1&b=%C3%BC&filter%5Bid%5D=2",
        method="POST",
        headers={"X-Version": "2025-01", "accept": "application/vnd.club+json"},
        body=json.dumps({"query": "{ü}"}).encode(),
    )
    with RecordingApi() as api:
        assert source(f"{api.url}/base/").fetch(call, known()) == Answer(b"[]")
    (seen,) = api.seen
    assert (seen.method, seen.target, seen.body) == ("POST", f"/base{call.path}?{call.query}", call.body)
    assert seen.header("Authorization") == "Bearer jwt-of-anna"
    assert seen.header("X-Version") == "2025-01"
    assert seen.header("Accept") == "application/vnd.club+json"
    assert seen.header("Content-Type") == "application/json"
    assert seen.header("Accept-Encoding") == "identity"


def test_a_profile_may_say_what_a_body_is_and_who_is_calling() -> None:
    headers = {"content-type": "application/graphql", "User-Agent": "club/1", "AUTHORIZATION": "nothing"}
    call = Call(user_id="anna", path="/", method="POST", body=b"{}", headers=headers)
    with RecordingApi() as api:
        source(api.url).fetch(call, known())
    assert api.seen[0].header("Content-Type") == "application/graphql"
    assert api.seen[0].header("User-Agent") == "club/1"
    assert api.seen[0].header("Authorization") == "Bearer jwt-of-anna", "nobody takes the place of the credential"


def test_a_profile_may_name_requests_in_its_own_way() -> None:
    call = Call(user_id="anna", path="/", headers={"x-request-id": "a-constant"})
    with RecordingApi() as api, about(request="mine"):
        source(api.url).fetch(call, known())
    assert [value for name, value in api.seen[0].headers if name.lower() == "x-request-id"] == ["a-constant"]


def test_a_path_without_a_query_has_no_question_mark() -> None:
    with RecordingApi() as api:
        source(api.url).fetch(Call(user_id="anna", path="/all"), known())
    assert api.seen[0].target == "/all"


@pytest.mark.parametrize(
    "name,value",
    [
        ("X-User", "anna\r\nX-Admin: yes"),
        ("X-User", "anna\nb"),
        ("X-User", "anna\x00"),
        ("X-User", "ännä"),
        ("X-User", "anna\x7f"),
        ("X-User", "@@@SKIP_HEADER@@@"),
        ("X User", "anna"),
        ("X-User:", "anna"),
        ("", "anna"),
        ("X-User\r\n", "anna"),
        *((name, "anna") for name in ("Host", "content-length", "Transfer-Encoding", "CONNECTION", "Accept-Encoding")),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_by_its_name(name: str, value: str) -> None:
    call = Call(user_id="anna", path="/", headers={name: value})
    with RecordingApi() as api:
        with pytest.raises(MembershipsContractBroken) as failure:
            source(api.url).fetch(call, known())
        assert api.seen == []
    assert f"the header {name!r} " in failure.value.reason
    assert "anna" not in failure.value.reason


def test_a_header_may_hold_a_tab_and_be_empty() -> None:
    say = Wording("here", ServiceJwt())
    headers = request_headers(Call(user_id="anna", path="/", headers={"X-A": "a\tb", "X-B": ""}), {}, say)
    assert (headers["X-A"], headers["X-B"]) == ("a\tb", "")


# --- What comes back --------------------------------------------------------------------------------------------------


def test_of_the_headers_of_an_answer_only_those_that_a_profile_may_name_are_kept() -> None:
    answer = _answer(("X-Total", "240"), ("Set-Cookie", "canary"), ("X-Other", "1"), total={"header": "X-TOTAL"})
    assert answer.headers == {"x-total": "240"}


@pytest.mark.parametrize("paginator", ["single_page", "header_link"])
def test_a_link_is_told_also_when_the_profile_names_none_and_several_are_joined(paginator: str) -> None:
    answer = _answer(("Link", "</a>; rel=next"), ("LINK", "</b>; rel=prev"), paginator={"type": paginator})
    assert answer.headers == {"link": "</a>; rel=next, </b>; rel=prev"}


@pytest.mark.parametrize(
    "name,tables",
    [("link", {"paginator": {"type": "header_link"}}), ("x-total", {"total": {"header": "X-Total"}})],
)
def test_a_named_header_of_more_than_8_kib_breaks_the_contract(name: str, tables: dict[str, Any]) -> None:
    assert _answer((name, "x" * 8192), **tables).headers == {name: "x" * 8192}
    failure = _failure(Reply(headers=[(name, "x" * 8193)]), PAGE, **tables)
    assert isinstance(failure, MembershipsContractBroken)
    assert f"a header {name} of more than 8192 bytes" in failure.reason


@pytest.mark.parametrize("name", TOTAL_HEADERS)
def test_a_total_is_told_also_when_the_profile_names_none(name: str) -> None:
    assert _answer((name.title(), "240")).headers == {name: "240"}


def test_a_large_link_that_nobody_reads_is_left_out() -> None:
    assert _answer(("Link", "x" * 8193)).headers == {}


LINES: dict[str, Any] = {"rows": {"path": "", "key": ["id"], "encoding": "ndjson"}}


@pytest.mark.parametrize("tables", [LINES, {}])
def test_lines_are_only_believed_when_http_says_where_they_end(tables: dict[str, Any]) -> None:
    replies = [Reply(b'{"id": "a"}\n', framing=framing) for framing in ("length", "chunks", "connection")]
    with RecordingApi(lambda _: replies[len(api.seen) - 1]) as api:
        made = source(api.url)
        assert [made.fetch(PAGE, known(**tables)).body for _ in range(2)] == [b'{"id": "a"}\n'] * 2
        if tables:
            with pytest.raises(MembershipsContractBroken, match="without saying where they end"):
                made.fetch(PAGE, known(**tables))
        else:
            assert made.fetch(PAGE, known(**tables)).body == b'{"id": "a"}\n'


def test_a_line_without_end_is_a_page_that_is_too_large() -> None:
    line = Reply(b'{"id": "' + b"a" * 200_000, framing="chunks")
    assert "a page of more than 100000 bytes" in _failure(line, PAGE, **LINES).reason


# --- What is told -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_an_api_that_forgot_where_a_page_ended_is_told_apart_from_one_that_is_wrong_at_once(status: int) -> None:
    goes_on = Call(user_id="anna", path="/", query="cursor=canary", first=False)
    failure = _failure(Reply(status=status), goes_on)
    assert type(failure) is PlaceForgotten
    assert f"{WHERE} answered with status {status} where pages were to go on" in failure.reason
    assert "canary" not in failure.reason
    assert type(_failure(Reply(status=status))) is NothingThere


@pytest.mark.parametrize("status", [401, 403, 405, 409, 429, 500, 302])
def test_other_answers_in_mid_walk_are_no_forgotten_place(status: int) -> None:
    goes_on = Call(user_id="anna", path="/", first=False)
    assert not isinstance(_failure(Reply(status=status), goes_on), PlaceForgotten)


@pytest.mark.parametrize("reply", [Reply(status=status) for status in (302, 400, 401, 403, 429, 500)])
def test_errors_name_the_path_as_the_profile_writes_it(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failure = _failure(reply)
    assert f"{WHERE} answered with" in failure.reason
    assert "anna" not in "".join(traceback.format_exception(failure)) + caplog.text


@pytest.mark.parametrize("reply", [Reply(), Reply(broken=True), Reply(headers=[("no header at all", "x")])])
def test_urllib3_writes_nothing_that_a_url_of_ours_holds(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
        caplog.set_level(logging.DEBUG, logger=name)
    with RecordingApi(lambda _: reply) as api, suppress(MembershipsUnavailable):
        source(api.url).fetch(PAGE, known())
    assert "anna" not in caplog.text
    assert "page=7" not in caplog.text


# --- POST -------------------------------------------------------------------------------------------------------------


def test_a_post_that_reads_is_repeated_once_when_its_kept_connection_had_ended() -> None:
    replies = iter([Reply(), Reply(broken=True), Reply(), Reply(broken=True), Reply(broken=True)])
    call = Call(user_id="anna", path="/graphql", method="POST", body=b'{"query": "{}"}')
    with RecordingApi(lambda _: next(replies)) as api:
        asks = source(api.url)
        for _ in range(2):
            assert asks.fetch(call, known()).body == b"[]"
        assert (len(api.seen), api.accepted) == (3, 2)
        assert api.seen[2] == api.seen[1], "the same question"
        with pytest.raises(MembershipsUnavailable, match="broke off its answer"):
            asks.fetch(call, known())
        assert len(api.seen) == 5


def test_a_refusal_is_told_with_the_place_of_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    failure = _failure(Reply(status=401))
    assert isinstance(failure, MembershipsRefused)
    assert "compare MEMBERSHIPS_EXPORT_SERVICE_SECRET" in failure.reason
    assert f"by=memberships_api status=401 event=refused reason={failure.reason}" in caplog.text


def test_when_the_time_for_a_call_is_up_nothing_is_sent() -> None:
    with RecordingApi() as api:
        with pytest.raises(MembershipsUnavailable, match="took longer than 0 seconds for one page"):
            source(api.url, limits=HttpLimits(total_seconds=0)).fetch(PAGE, known())
        assert (api.seen, api.accepted) == ([], 0)
