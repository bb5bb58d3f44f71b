import json
import socket

import pytest

from tests.unit.cli.conftest import Cli
from tests.unit.cli.stub_api import EXPORT_ID, StubApi, a_completed_answer, an_answer


def test_request_prints_only_the_id_on_stdout_so_that_scripts_can_take_it(ask: Cli, api: StubApi) -> None:
    api.will(an_answer(status="queued"), status=202)
    result = ask("request")
    assert (result.exit_code, result.stdout) == (0, f"{EXPORT_ID}\n")
    assert f"memberships-export watch {EXPORT_ID}" in result.stderr


def test_request_sends_the_preset_and_the_token(ask: Cli, api: StubApi) -> None:
    api.will(an_answer(), status=202)
    ask("request", "--preset", "raw")
    asked = api.asked[0]
    assert (asked.method, asked.path, json.loads(asked.body)) == ("POST", "/memberships/exports", {"preset": "raw"})
    assert asked.headers["Authorization"] == "Bearer a.b.c"


def test_json_is_what_the_api_said(ask: Cli, api: StubApi) -> None:
    api.will(an_answer())
    assert json.loads(ask("status", EXPORT_ID, "--json").stdout) == an_answer()


def test_status_says_where_the_export_is(ask: Cli, api: StubApi) -> None:
    api.will(an_answer())
    result = ask("status", EXPORT_ID)
    assert result.exit_code == 0
    assert "running at fetch, 400 of 2,000 rows fetched (Export in progress)" in result.stdout


def test_status_of_a_completed_export_tells_how_to_check_the_file(ask: Cli, api: StubApi) -> None:
    api.will(a_completed_answer())
    assert "ab" * 32 in ask("status", EXPORT_ID).stdout


def test_watch_ends_well_when_the_export_completed(ask: Cli, api: StubApi) -> None:
    api.will(a_completed_answer())
    result = ask("watch", EXPORT_ID)
    assert result.exit_code == 0
    assert result.stdout.startswith("completed\n")


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_watch_ends_with_1_when_there_will_be_no_file(ask: Cli, api: StubApi, status: str) -> None:
    api.will(an_answer(status=status, error={"code": "no_progress", "reason": "Nobody got further."}))
    result = ask("watch", EXPORT_ID)
    assert result.exit_code == 1
    assert "Nobody got further." in result.stdout


def test_list_shows_a_line_for_each_export(ask: Cli, api: StubApi) -> None:
    api.will({"items": [an_answer(), a_completed_answer()]})
    lines = ask("list").stdout.splitlines()
    assert lines[0].split()[:2] == ["EXPORT", "ID"]
    assert [line.split()[1] for line in lines[1:]] == ["running", "completed"]


def test_an_empty_list_says_how_to_ask_for_an_export(ask: Cli, api: StubApi) -> None:
    api.will({"items": []})
    result = ask("list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "memberships-export request" in result.stderr


@pytest.mark.parametrize("command", ["cancel", "resend"])
def test_cancel_and_resend_post_to_the_export(ask: Cli, api: StubApi, command: str) -> None:
    api.will(an_answer(status="cancelled"))
    assert ask(command, EXPORT_ID).exit_code == 0
    assert (api.asked[0].method, api.asked[0].path) == ("POST", f"/memberships/exports/{EXPORT_ID}/{command}")


def test_an_id_cannot_lead_to_another_path(ask: Cli, api: StubApi) -> None:
    api.will({"title": "Not Found", "detail": "There is no such export."}, status=404)
    ask("status", "../../healthz?x")
    assert api.asked[0].path == "/memberships/exports/..%2F..%2Fhealthz%3Fx"


def test_a_problem_is_shown_as_title_detail_and_what_to_do(ask: Cli, api: StubApi) -> None:
    api.will({"title": "Unauthorized", "detail": "The token has expired."}, status=401)
    result = ask("list")
    assert (result.exit_code, result.stdout) == (1, "")
    title, detail, advice = result.stderr.splitlines()
    assert (title, detail) == ("Unauthorized (401)", "The token has expired.")
    assert "memberships-export token --user-id" in advice


def test_too_many_requests_say_when_to_come_back(ask: Cli, api: StubApi) -> None:
    api.will({"title": "Too Many Requests", "detail": "10 an hour."}, status=429, Retry_After="77")
    assert "Try again in 77 seconds." in ask("request").stderr


def test_an_answer_cannot_steer_the_terminal(ask: Cli, api: StubApi) -> None:
    api.will({"title": "\x1b[2JGone", "detail": "a\rb"}, status=410)
    assert "\x1b" not in ask("status", EXPORT_ID).stderr


def test_a_redirect_is_not_followed(ask: Cli, api: StubApi) -> None:
    api.will(b"", status=302, Location=f"{api.url}/elsewhere")
    result = ask("list")
    assert result.exit_code == 1
    assert "status 302" in result.stderr
    assert len(api.asked) == 1


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b""])
def test_something_else_on_that_port_is_told_from_the_api(ask: Cli, api: StubApi, body: bytes) -> None:
    api.will(body)
    result = ask("list")
    assert result.exit_code == 3
    assert "is not the export API" in result.stderr


def test_when_nobody_listens_the_answer_says_how_to_start_the_service(cli: Cli) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, but not listening: connections are refused
        result = cli("list", "--url", f"http://127.0.0.1:{held.getsockname()[1]}", "--token", "a.b.c")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "connection refused" in result.stderr
    assert "memberships-export serve" in result.stderr


def test_without_a_token_the_answer_says_how_to_make_one(cli: Cli) -> None:
    result = cli("list")
    assert result.exit_code == 2
    assert "memberships-export token --user-id" in result.stderr


@pytest.mark.parametrize("arguments", [("--url", "ftp://x"), ("--url", "http://x/?a=b"), ("--token", "a b")])
def test_a_wrong_url_or_token_is_wrong_usage(cli: Cli, arguments: tuple[str, str]) -> None:
    assert cli("list", *arguments, MEMBERSHIPS_EXPORT_TOKEN="a.b.c").exit_code == 2
