"""`profiles`: what comes with the service, to use or to start from."""

import json
import tomllib

from memberships_export.adapters.source.profile_file import load_profile, shipped_names, shipped_text
from memberships_export.entrypoints.cli.exits import ExitCode
from tests.unit.cli.conftest import Cli


def test_profiles_are_listed_with_what_they_are_for(cli: Cli) -> None:
    listed = cli("profiles")

    head, *lines = listed.stdout.splitlines()
    assert (listed.exit_code, head.split()) == (ExitCode.DONE, ["NAME", "DESCRIPTION"])
    assert [line.split()[0] for line in lines] == shipped_names()
    assert load_profile("stripe").profile.description in listed.stdout


def test_profiles_are_listed_for_programs_too(cli: Cli) -> None:
    listed = json.loads(cli("profiles", "--json").stdout)

    assert [entry["name"] for entry in listed] == shipped_names()
    assert all(entry["description"] for entry in listed)


def test_a_profile_is_printed_as_it_is_so_that_it_can_be_changed(cli: Cli) -> None:
    shown = cli("profiles", "show", "stripe")

    assert shown.stdout == shipped_text("stripe")
    assert tomllib.loads(shown.stdout)["version"] == 1


def test_a_profile_is_printed_for_programs_too(cli: Cli) -> None:
    assert json.loads(cli("profiles", "show", "stripe", "--json").stdout) == {
        "name": "stripe",
        "text": shipped_text("stripe"),
    }


def test_a_profile_that_does_not_come_with_the_service_is_answered_with_those_that_do(cli: Cli) -> None:
    for name in ("strip", "../../../etc/passwd"):
        refused = cli("profiles", "show", name)

        assert (refused.exit_code, refused.stdout) == (ExitCode.FAILED, "")
        assert refused.stderr.startswith(f"{name}: no such profile comes with the service: ")
    assert json.loads(cli("profiles", "show", "strip", "--json").stdout)["error"]["code"] == "failed"


def test_editors_get_the_schema(cli: Cli) -> None:
    assert json.loads(cli("profiles", "schema").stdout)["title"] == "Profile of a memberships API"
