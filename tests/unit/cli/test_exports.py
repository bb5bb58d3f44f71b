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


def test_status_tells_what_happened_in_words_to_who_asks_for_it(ask: Cli, api: StubApi) -> None:
    happened = [
        {"at": "2026-03-01T12:00:01Z", "what": "evidence", "detail": "1 silent"},
        {"at": "2026-03-01T12:00:02Z", "what": "of_a_newer_version", "detail": "\u202e"},
    ]
    for _ in range(2):
        api.will(an_answer(timeline=happened))
    assert "mail 1" not in ask("status", EXPORT_ID).stdout
    lines = ask("status", EXPORT_ID, "--timeline").stdout.splitlines()[-2:]
    assert lines == [
        "2026-03-01T12:00:01Z  mail 1: the answer of the mail service was silent",
        "2026-03-01T12:00:02Z  of_a_newer_version \\u202e",
    ]


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
    api.will({"items": []})
    ask("status", "../../healthz?x")
    ask("status", "../../healthz?x=12345678901234567890")
    assert [asked.path for asked in api.asked] == [
        "/memberships/exports?limit=100",
        "/memberships/exports/..%2F..%2Fhealthz%3Fx%3D12345678901234567890",
    ]


@pytest.mark.parametrize("command", ["status", "watch", "cancel", "resend"])
def test_the_beginning_of_an_id_is_enough(ask: Cli, api: StubApi, command: str) -> None:
    api.will({"items": [an_answer(exportId="0" * 36), an_answer()]}, a_completed_answer())
    assert ask(command, EXPORT_ID[:4]).exit_code == 0
    assert EXPORT_ID in api.asked[1].path


@pytest.mark.parametrize("command", ["status", "watch", "cancel", "resend"])
def test_a_beginning_that_fits_two_exports_changes_none(ask: Cli, api: StubApi, command: str) -> None:
    api.will({"items": [an_answer(exportId="abcd-1"), an_answer(exportId="abcd-2")]})
    result = ask(command, "abcd")
    assert (result.exit_code, len(api.asked)) == (2, 1)
    assert "abcd-1" in result.stderr


def test_a_whole_id_costs_no_look_at_the_list(ask: Cli, api: StubApi) -> None:
    api.will(an_answer())
    ask("status", EXPORT_ID)
    assert [asked.path for asked in api.asked] == [f"/memberships/exports/{EXPORT_ID}"]


def test_a_whole_id_in_bytes_that_are_no_text_is_refused_by_the_service(ask: Cli, api: StubApi) -> None:
    api.will({"title": "Not Found", "detail": "There is no such export."}, status=404)
    assert ask("status", "\udcc3" * 36).exit_code == 1


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


def test_with_json_a_refusal_keeps_the_code_of_the_service(ask: Cli, api: StubApi) -> None:
    problem = {"title": "Too Many Requests", "detail": "10 an hour.", "code": "rate_limited"}
    api.will(problem, status=429, Retry_After="77")
    result = ask("request", "--json")
    assert (result.exit_code, json.loads(result.stdout)["error"]) == (
        1,
        {
            "code": "rate_limited",
            "message": "Too Many Requests (429)\n10 an hour.\nTry again in 77 seconds.",
            "exitCode": 1,
            "status": 429,
            "retryAfter": "77",
        },
    )


def test_with_json_an_error_of_something_in_between_has_a_code_too(ask: Cli, api: StubApi) -> None:
    api.will(b"<html>Bad Gateway</html>", status=502)
    error = json.loads(ask("list", "--json").stdout)["error"]
    assert (error["code"], error["status"]) == ("refused", 502)


def test_with_json_an_export_that_failed_is_the_export(ask: Cli, api: StubApi) -> None:
    api.will(an_answer(status="failed"))
    result = ask("watch", EXPORT_ID, "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (1, "failed")


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
        in_json = cli("list", "--url", f"http://127.0.0.1:{held.getsockname()[1]}", "--token", "a.b.c", "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "connection refused" in result.stderr
    assert "memberships-export serve" in result.stderr
    assert (in_json.exit_code, json.loads(in_json.stdout)["error"]["code"]) == (3, "unreachable")


def test_without_a_token_the_answer_says_how_to_make_one(cli: Cli) -> None:
    result = cli("list")
    assert result.exit_code == 2
    assert "memberships-export token --user-id" in result.stderr


WRONG_URLS = (
    "ftp://x",
    "http://x/?a=b",
    "http://[::1",
    "http://x:99999",
    "http://x:y",
    "http:///x",
    "http://u:p@x",
    "",
)


@pytest.mark.parametrize("arguments", [*(("--url", url) for url in WRONG_URLS), ("--token", "a b")])
def test_a_wrong_url_or_token_is_wrong_usage(cli: Cli, arguments: tuple[str, str]) -> None:
    assert cli("list", *arguments, MEMBERSHIPS_EXPORT_TOKEN="a.b.c").exit_code == 2


@pytest.mark.parametrize("url", ["localhost:8000", "127.0.0.1", "example.org/club"])
def test_a_url_without_its_beginning_is_completed_in_the_answer(cli: Cli, url: str) -> None:
    assert f"Did you mean http://{url}?" in cli("list", "--url", url, "--token", "a.b.c").stderr


def test_a_service_without_encryption_is_told_from_one_that_is_away(cli: Cli, api: StubApi) -> None:
    api.will({})
    result = cli("list", "--url", api.url.replace("http:", "https:"), "--token", "a.b.c")
    assert result.exit_code == 3
    assert "is it http:// instead of https://" in result.stderr


def test_watch_goes_on_when_the_service_comes_back(ask: Cli, api: StubApi) -> None:
    api.will(an_answer())
    api.will({"title": "Bad Gateway"}, status=502)
    api.will(a_completed_answer())
    result = ask("watch", EXPORT_ID)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1] == "completed"
    assert result.stderr.splitlines() == [
        "Bad Gateway (502). Trying again for up to 5 minutes.",
        "The service answers again.",
    ]


def test_watch_with_json_says_nothing_else_on_stdout(ask: Cli, api: StubApi) -> None:
    api.will(b"", status=503)
    api.will(a_completed_answer())
    assert json.loads(ask("watch", EXPORT_ID, "--json").stdout)["status"] == "completed"


def test_watch_loses_its_patience_when_nobody_ever_answers(cli: Cli) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        result = cli("watch", EXPORT_ID, "--url", url, "--token", "a.b.c", "--patience", "0.1")
    assert result.exit_code == 3
    assert "Trying again for up to 0.1 seconds." in result.stderr


@pytest.mark.parametrize("status", [401, 404])
def test_watch_ends_at_once_when_the_export_or_the_token_is_refused(ask: Cli, api: StubApi, status: int) -> None:
    api.will({"title": "No", "detail": "No."}, status=status)
    assert (ask("watch", EXPORT_ID).exit_code, len(api.asked)) == (1, 1)


@pytest.mark.parametrize("host", ["a..b", "a" * 80])
def test_a_host_that_can_have_no_address_is_told_as_such(cli: Cli, host: str) -> None:
    result = cli("list", "--url", f"http://{host}:8000", "--token", "a.b.c")
    assert result.exit_code == 3
    assert "(unknown host name)" in result.stderr


def test_request_sends_nothing_that_was_not_typed(ask: Cli, api: StubApi) -> None:
    api.will(an_answer(), status=202)
    ask("request")
    assert json.loads(api.asked[0].body) == {}


def test_request_sends_each_option_under_the_name_of_the_api(ask: Cli, api: StubApi) -> None:
    api.will(an_answer(), status=202)
    typed = "--format csv --columns id,name --language de-CH --time-zone Europe/Zurich --delimiter tab --decimal ,"
    switches = "--no-bom --guard --filter state:active --filter from:2024-01-01"
    ask("request", *typed.split(), *switches.split())
    assert json.loads(api.asked[0].body) == {
        "format": "csv",
        "columns": ["id", "name"],
        "language": "de-CH",
        "timeZone": "Europe/Zurich",
        "delimiter": "tab",
        "decimal": ",",
        "bom": False,
        "guard": True,
        "filters": {"state": "active", "from": "2024-01-01"},
    }


def test_blanks_around_names_of_columns_are_typing_and_no_part_of_them(ask: Cli, api: StubApi) -> None:
    api.will(an_answer(), status=202)
    ask("request", "--columns", "name, valid from ,id")
    assert json.loads(api.asked[0].body) == {"columns": ["name", "valid from", "id"]}


def test_words_that_the_service_must_judge_are_sent_as_they_were_typed(ask: Cli, api: StubApi) -> None:
    api.will({"title": "Unprocessable Content", "detail": "columns: there is no nmae. Did you mean name?"}, status=422)
    result = ask("request", "--columns", "nmae", "--language", "tlh", "--time-zone", "Berlin", "--delimiter", "")
    assert json.loads(api.asked[0].body) == {
        "columns": ["nmae"],
        "language": "tlh",
        "timeZone": "Berlin",
        "delimiter": "",
    }
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no nmae. Did you mean name?" in result.stderr


@pytest.mark.parametrize("option, word", [("--preset", "pdf"), ("--format", "docx")])
def test_a_preset_or_format_that_there_is_not_is_refused_before_anybody_is_asked(
    ask: Cli, api: StubApi, option: str, word: str
) -> None:
    result = ask("request", option, word)
    assert (result.exit_code, api.asked) == (2, [])
    assert "raw" in result.stderr or "xlsx" in result.stderr, "it names those that there are"


@pytest.mark.parametrize("filters", [["state"], [":active"], ["state:a", "state:b"]])
def test_a_filter_that_cannot_be_meant_is_refused_before_anybody_is_asked(
    ask: Cli, api: StubApi, filters: list[str]
) -> None:
    result = ask("request", *(word for one in filters for word in ("--filter", one)))
    assert (result.exit_code, api.asked) == (2, [])
    assert "--filter" in result.stderr


PLAIN = {
    "format": "csv",
    "preset": "spreadsheet",
    "columns": [],
    "language": "en",
    "timeZone": "UTC",
    "delimiter": ",",
    "decimal": ".",
    "bom": True,
    "guard": True,
    "filters": {},
}


@pytest.mark.parametrize(
    "options, said",
    [
        (PLAIN, None),
        (PLAIN | {"columns": None}, None),
        (None, None),
        ({"format": "xlsx", "language": "de", "timeZone": "Europe/Berlin"}, "xlsx de Europe/Berlin"),
        (PLAIN | {"columns": ["state", "id"], "filters": {"state": "active"}}, "state:active columns state,id"),
        (PLAIN | {"preset": "raw", "bom": False, "guard": False}, "raw"),
        (PLAIN | {"preset": "excel-fr", "language": "fr", "delimiter": ";", "decimal": ","}, "excel-fr"),
        (PLAIN | {"preset": "excel-fr", "delimiter": ";", "decimal": ","}, "excel-fr en"),
        (PLAIN | {"delimiter": ";", "bom": False}, "delimiter ; no bom"),
        ({"format": "csv", "preset": "of a newer service"}, "of a newer service"),
    ],
)
def test_status_and_list_say_what_was_chosen_unless_all_of_it_is_plain(
    ask: Cli, api: StubApi, options: object, said: str | None
) -> None:
    api.will(a_completed_answer() | {"options": options})
    api.will({"items": [a_completed_answer() | {"options": options}]})
    status, listed = ask("status", EXPORT_ID).stdout, ask("list").stdout
    assert (f"chosen:      {said}\n" in status) == (said is not None)
    assert listed.splitlines()[1].endswith(f"  {said or '-'}")


OFFER = {
    "formats": [{"name": "csv", "meaning": "text"}, {"name": "xlsx", "meaning": "a workbook"}],
    "columns": [{"name": "validFrom", "label": "Gültig ab", "type": "date"}],
    "presets": [{"name": "raw", "meaning": "plain"}],
    "delimiters": [",", ";", "tab", "|"],
    "decimals": [".", ","],
    "languages": [{"tag": "de", "name": "Deutsch"}],
    "filters": [
        {"name": "state", "label": "Status", "type": "choice", "values": ["active", "ended"]},
        {"name": "from", "label": "Ab", "type": "date", "values": None},
    ],
    "timeZones": {"count": 492, "found": []},
    "language": "de",
    "defaults": PLAIN,
}


def test_options_shows_what_can_be_asked_for_under_the_options_of_request(ask: Cli, api: StubApi) -> None:
    api.will(OFFER)
    result = ask("options")
    assert (result.exit_code, api.asked[0].path) == (0, "/memberships/exports/options")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["--columns", "LABEL", "(de)", "TYPE"] in lines
    assert ["validFrom", "Gültig", "ab", "date"] in lines
    assert ["--delimiter", ",", ";", "tab", "|"] in lines
    assert ["state", "Status", "active,", "ended"] in lines
    assert "492 names such as Europe/Berlin" in result.stdout


def test_options_asks_in_a_language_and_for_zones(ask: Cli, api: StubApi) -> None:
    api.will(OFFER | {"timeZones": {"count": 492, "found": ["Europe/Berlin"]}, "filters": []})
    result = ask("options", "--language", "de-CH", "--zone", "berl in")
    assert api.asked[0].path == "/memberships/exports/options?language=de-CH&zone=berl+in"
    assert "--time-zone\nEurope/Berlin\n" in result.stdout
    assert "--filter" not in result.stdout


def test_a_search_for_zones_that_finds_none_says_so(ask: Cli, api: StubApi) -> None:
    api.will(OFFER)
    assert "None has xyzzy in its name. There are 492 names" in ask("options", "--zone", "xyzzy").stdout


def test_options_as_json_is_what_the_api_said(ask: Cli, api: StubApi) -> None:
    api.will(OFFER)
    assert json.loads(ask("options", "--json").stdout) == OFFER


def test_an_older_service_that_knows_no_options_is_told_in_words(ask: Cli, api: StubApi) -> None:
    api.will({"title": "Not Found", "detail": "There is no such export."}, status=404)
    assert ask("options").exit_code == 1
