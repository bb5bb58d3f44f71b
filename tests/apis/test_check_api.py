"""`check-api` against the fakes: what fits is found fit, and all that does not is named at once."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from memberships_export.domain.source.grades import Grade
from memberships_export.entrypoints.cli.exits import ExitCode
from memberships_export.entrypoints.cli.main import make_app
from rig.services.apis.every import EVERY
from rig.services.apis.held import Holdings
from tests.apis.exports import AT_ROOT, OWN_SECRETS, SECRETS, UNPAGED, profile_text
from tests.apis.test_any_api import GRADES

KEYS = {
    "profile": {"name", "version", "sha256"},
    "auth": None,
    "pages": {"number", "asked", "rows", "bytes", "milliseconds"},
    "cap": None,
    "rows": {"path"},
    "key": {"paths", "distinct", "of", "order"},
    "owner": {"path", "own", "of"},
    "canary": {"userId", "rows", "words"},
    "filter": {"chosen", "rows", "rowsWithout", "total", "totalWithout", "words"},
    "next": {"name", "there", "origin"},
    "total": {"place", "value", "unit", "exact"},
    "repeatedKeys": None,
    "columns": {"name", "path", "type", "filled", "null", "missing", "unnamed", "example", "fits"},
    "unused": None,
    "proof": {"grade", "owner", "rowsCanMove"},
    "rowsPerSecond": None,
    "notes": None,
    "problems": {"about", "text"},
}


class Checked:
    """A fake, the profile for it in a file, and the command."""

    def __init__(self, name: str, folder: Path, *switches: str, rows: int = 7, cap: int | None = 3) -> None:
        self.name = name
        self.api = EVERY[name](Holdings({"42": rows, "43": 2}), *switches, cap=None if name in UNPAGED else cap)
        self.file = folder / f"{name}.toml"
        self.data = folder / "data"

    def run(
        self,
        *arguments: str,
        changed: Mapping[str, str] = MappingProxyType({}),
        more: str = "",
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> Result:
        text = profile_text(self.name).replace("https://login.example.org", self.api.origin)
        for old, new in changed.items():
            assert old in text
            text = text.replace(old, new)
        self.file.write_text(text + more, encoding="utf-8")
        url = self.api.origin if self.name in AT_ROOT else self.api.url
        given = ["--user", f"{self.api.user_prefix}42", "--profile", str(self.file), "--url", url]
        secrets = SECRETS | OWN_SECRETS.get(self.name, {}) | {"MEMBERSHIPS_EXPORT_DATA_DIR": str(self.data), **environ}
        with self.api:
            return CliRunner().invoke(make_app(), ["check-api", *given, *arguments], env=secrets)

    def json(self, *arguments: str, changed: Mapping[str, str] = MappingProxyType({}), more: str = "") -> Any:  # noqa: ANN401  (any JSON)
        return json.loads(self.run("--json", *arguments, changed=changed, more=more).stdout)


def told(report: Any) -> dict[str, str]:  # noqa: ANN401
    return {problem["about"]: problem["text"] for problem in report["problems"]}


@pytest.mark.parametrize("name", EVERY)
def test_an_api_that_fits_its_profile_has_no_problem(name: str, tmp_path: Path) -> None:
    checked = Checked(name, tmp_path)
    result = checked.run()

    assert (result.exit_code, result.stdout.splitlines()[-1]) == (ExitCode.DONE, "No problem."), result.output
    assert not checked.data.exists(), "nothing is stored"
    assert result.stdout.isascii()
    assert result.stderr == ""


@pytest.mark.parametrize("name", EVERY)
def test_the_proof_that_is_told_is_the_one_that_exports_get(name: str, tmp_path: Path) -> None:
    proof = Checked(name, tmp_path).json()["proof"]

    assert (proof["grade"], proof["owner"]) == (Grade(GRADES[name]), "checked")


@pytest.mark.parametrize("name", sorted(set(EVERY) - UNPAGED))
def test_page_2_is_looked_at_where_page_1_says_it_is(name: str, tmp_path: Path) -> None:
    report = Checked(name, tmp_path, rows=12).json()

    assert [page["rows"] for page in report["pages"]] == [3, 3]
    assert report["repeatedKeys"] == 0


def stands_in(output: str, value: str) -> bool:
    """Whether it is there by itself, and not as a part of a port such as 41000."""
    end = "(?![0-9])" if value[-1].isdigit() else ""
    return re.search(f"(?<![0-9A-Za-z]){re.escape(value)}{end}", output) is not None


@pytest.mark.parametrize("name", EVERY)
def test_no_value_is_shown_unless_asked_for(name: str, tmp_path: Path) -> None:
    hidden = Checked(name, tmp_path)
    outputs = [hidden.run().output, Checked(name, tmp_path).run("--json").output]
    shown = Checked(name, tmp_path).run("--show-values").output

    held = hidden.api.holdings.of["42"]
    plans = {word for one in held for word in one.plan.split() if len(word) > 3}
    texts = {text for one in held for text in (one.amount, str(one.minor))}
    amounts = {text for text in texts if len(text) > 3 and set(text) - set("0.")}
    years = {f"{one.since:%Y-}" for one in held}
    for output in outputs:
        assert [value for value in plans | amounts | years if stands_in(output, value)] == []
    assert any(stands_in(shown, value) for value in plans | amounts | years)


def test_three_mismatches_are_told_at_once_each_with_its_path_and_what_is_there(tmp_path: Path) -> None:
    changed = {
        '"items[0].price.nickname"': '"items.data[0].plan"',
        '{ name = "state", path = "status"': '{ name = "state", path = "state.name"',
        'path = "ended_at", type = "epoch"': 'path = "collection_method", type = "epoch"',
    }
    changed = {old.replace("items[0]", "items.data[0]"): new for old, new in changed.items()}
    result = Checked("stripe", tmp_path).run(changed=changed)

    assert result.exit_code == ExitCode.FAILED
    lines = [line.strip() for line in result.stdout.splitlines()]
    (state,) = [line for line in lines if line.startswith('$.data[0] has no "state" (in 3 rows); it has: id, object, ')]
    assert state.endswith("status, currency, created, start_date, ended_at, collection_method, items, metadata")
    assert "$.data[0].items.data[0].plan is missing in all 3 rows: correct the path, or say optional = true" in lines
    assert "$.data[0].collection_method is no whole number of seconds since 1970 (in 3 rows)" in lines
    assert lines[-1] == "3 problems: name, state, validUntil. Exit 1."
    marked = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("      !")]
    assert marked == ["name", "state", "validUntil"]


def test_money_and_dates_are_shown_as_they_came_and_as_they_are_written(tmp_path: Path) -> None:
    (price,) = [one for one in Checked("stripe", tmp_path).json()["columns"] if one["name"] == "recurringPrice"]
    shown = Checked("stripe", tmp_path).run("--show-values").stdout

    assert price["example"]["came"].endswith(" xxx")
    assert " -> 2021-" in shown


def test_a_cap_is_named(tmp_path: Path) -> None:
    assert "200, 100 rows asked, 3 sent (the API caps at 3: set size = 3), " in Checked("stripe", tmp_path).run().stdout
    assert Checked("stripe", tmp_path).json()["cap"] == 3


@pytest.mark.parametrize("name", ["stripe", "plain-array", "graphql"])
def test_the_json_has_always_the_same_keys(name: str, tmp_path: Path) -> None:
    report = Checked(name, tmp_path).json(changed={'name = "id"': 'name = "nothing"'} if name == "stripe" else {})

    assert set(report) == set(KEYS)
    for key, inner in KEYS.items():
        values = report[key] if isinstance(report[key], list) else [report[key]]
        assert all(value is None or inner is None or set(value) == inner for value in values)


@pytest.mark.parametrize(
    "name, switch, about, words",
    [
        ("stripe", "filter-ignored", "owner", "2 of 3 rows have another owner at customer"),
        ("pretix", "foreign-host", "page 1", "leads to another host (elsewhere.example"),
        ("woocommerce-subscriptions", "no-total", "page 1", "announced no total at X-WP-Total"),
        ("paddle", "next-is-same", "page 2", "3 of 3 keys of page 1 came again"),
        ("offset", "row-deleted", "page 2", "row"),
        ("graphql", "errors-with-200", "errors", "the API answered with errors at `$.errors` instead of a page"),
    ],
)
def test_what_an_api_does_wrong_on_two_pages_is_named(
    name: str, switch: str, about: str, words: str, tmp_path: Path
) -> None:
    problems = told(Checked(name, tmp_path, switch).json())

    assert words in problems.get(about, ""), problems


def test_an_api_that_refuses_the_key_is_told_once_with_what_to_do(tmp_path: Path) -> None:
    result = Checked("stripe", tmp_path).run(environ={"STRIPE_API_KEY": "another"})

    assert result.exit_code == ExitCode.FAILED
    assert result.output.count("answered with status 401: it does not accept the token of env:STRIPE_API_KEY") == 1
    assert "event=" not in result.stderr


def test_it_works_with_the_settings_of_a_service_on_aws_too(tmp_path: Path) -> None:
    names = {"BACKEND": "aws", "TABLE": "t", "BUCKET": "b", "SERVICE_SECRET_ID": "s", "LINK_SECRET_ID": "l"}
    names |= {"AUDIT_SECRET_ID": "a"}
    aws = {f"MEMBERSHIPS_EXPORT_{name}": value for name, value in names.items()}
    queue = {"MEMBERSHIPS_EXPORT_QUEUE_URL": "https://sqs.example.org/1/q", "AWS_DEFAULT_REGION": "eu-central-1"}
    result = Checked("stripe", tmp_path).run(environ=aws | queue)

    assert result.exit_code == ExitCode.DONE, result.output


def test_an_api_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    environ = {"STRIPE_API_KEY": "x", "MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path)}
    arguments = ["check-api", "--user", "cus_42", "--profile", "stripe", "--url", "http://127.0.0.1:9"]
    result = CliRunner().invoke(make_app(), arguments, env=environ)

    assert (result.exit_code, result.stdout.count("page 1: ")) == (ExitCode.FAILED, 1)


def test_a_path_of_rows_that_leads_nowhere_still_leaves_the_rest_to_look_at(tmp_path: Path) -> None:
    result = Checked("stripe", tmp_path).run(changed={'rows = { path = "data"': 'rows = { path = "rows"'})

    assert '$ has no "rows"; it has: object, url, has_more, data' in result.stdout
    assert "profile  stripe.toml  version 1  sha256 " in result.stdout


FILTER = '\n[filters.state]\nparam = "{}"\nvalues = {{ active = "active", ended = "ended" }}\n'
ACTIVE = ("--filter", "state:active")
FEWER, SAME = (
    "fewer: it works, as far as this user shows",
    "the same: all of them pass the filter, or the API ignores it",
)


def test_a_filter_that_works_brings_fewer_rows(tmp_path: Path) -> None:
    found = Checked("stripe", tmp_path, rows=9, cap=20).json("--filter", "status:active")

    assert found["problems"] == []
    assert (found["filter"]["chosen"], found["filter"]["rows"], found["filter"]["rowsWithout"]) == (
        "status:active",
        3,
        9,
    )
    assert found["filter"]["words"] == FEWER


@pytest.mark.parametrize("cap", [2, 20])
def test_by_a_total_a_filter_is_seen_to_work_on_page_1(cap: int, tmp_path: Path) -> None:
    checked = Checked("jsonapi", tmp_path, rows=12, cap=cap)
    found = checked.json(*ACTIVE, more=FILTER.format("filter[state]"))["filter"]

    assert (found["total"], found["totalWithout"], found["words"]) == (4, 12, FEWER)


@pytest.mark.parametrize("name, param, cap", [("jsonapi", "filter[state]", 3), ("linked-array", "state", 20)])
def test_an_api_that_ignores_its_filter_is_told_from_none_that_works(
    name: str, param: str, cap: int, tmp_path: Path
) -> None:
    checked = Checked(name, tmp_path, "state-ignored", rows=12, cap=cap)
    found = checked.json(*ACTIVE, more=FILTER.format(param))

    assert found["filter"]["words"].startswith(SAME)


@pytest.mark.parametrize("rows", [3, 30])
def test_a_total_of_rows_that_do_not_pass_is_found(rows: int, tmp_path: Path) -> None:
    checked = Checked("jsonapi", tmp_path, "state-counted-not", rows=rows, cap=2)
    found = checked.json(*ACTIVE, more=FILTER.format("filter[state]"))

    texts = [problem["text"] for problem in found["problems"] if problem["about"] == "filter"]
    assert texts
    assert texts[0].startswith(f"The total is {rows} with the filter and without it, and the rows are others")


def test_a_link_that_forgets_the_filter_is_found_on_the_way_to_page_2(tmp_path: Path) -> None:
    checked = Checked("jsonapi", tmp_path, "state-forgotten", rows=12, cap=2)
    found = checked.json(*ACTIVE, more=FILTER.format("filter[state]"))

    assert [problem["about"] for problem in found["problems"]] == ["page 2"]
    assert "without the filter filter[state]=active" in found["problems"][0]["text"]


def test_where_rows_name_no_owner_nobody_is_asked_for_with_the_filter_too(tmp_path: Path) -> None:
    checked = Checked("linked-array", tmp_path, rows=5, cap=20)
    checked.json(*ACTIVE, changed={', owner = "memberId"': ""}, more=FILTER.format("state"))
    asked = [(call.query["member"].startswith("2147"), call.query.get("state")) for call in checked.api.calls]

    assert asked == [(False, "active"), (False, None), (True, None), (True, "active")]


def test_the_filter_is_told_in_a_line(tmp_path: Path) -> None:
    told = Checked("stripe", tmp_path, rows=9, cap=20).run("--filter", "status:active").stdout

    assert "status:active" in told
    assert f"3 rows on page 1, 9 without it: {FEWER}" in told


@pytest.mark.parametrize(
    "typed, words",
    [
        ("state:active", "'state' is not known: did you mean 'status'?"),
        ("status:actve", "'active'"),
        ("status", "--filter 'status' is no NAME:VALUE such as state:active."),
    ],
)
def test_a_filter_that_the_profile_does_not_have_is_wrong_usage(typed: str, words: str, tmp_path: Path) -> None:
    checked = Checked("stripe", tmp_path)
    result = checked.run("--filter", typed)

    assert result.exit_code == ExitCode.USAGE
    assert words in result.output
    assert checked.api.calls == []
