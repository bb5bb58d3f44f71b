"""`check-api` without an API: arguments and settings that are wrong are told before anything is asked."""

import json
from pathlib import Path

import pytest

from memberships_export.adapters.source.profile_file import shipped_text
from memberships_export.entrypoints.cli.exits import ExitCode
from tests.unit.cli.conftest import Cli

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--user", ""], "--user is ''"),
        (["--user", "a\nb"], "--user is "),
        (["--user", "x" * 300], "--user is "),
        (["--user", "42", "--email", "nobody"], "--email is 'nobody', but must be one plain email address"),
        (["--user", "42", "--profile", "strip", "--url", NOWHERE], "did you mean stripe?"),
        (["--user", "42", "--profile", "./nothing.toml"], "cannot be read"),
        (["--user", "42", "--profile", ""], "--profile is empty"),
        (["--user", "42", "--profile", "stripe", "--url", " "], "--url is empty"),
        (["--user", "42", "--profile", "stripe", "--url", "ftp://x"], "MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL"),
        (["--user", "42", "--profile", "stripe"], "MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL is not set"),
        (["--user", "42", "--profile", "stripe", "--url", NOWHERE], "env:STRIPE_API_KEY"),
        (["--user", "42", "--url", NOWHERE], "set MEMBERSHIPS_EXPORT_SERVICE_SECRET"),
        ([], "--user"),
    ],
)
def test_what_cannot_be_checked_is_told(arguments: list[str], words: str, cli: Cli, tmp_path: Path) -> None:
    result = cli("check-api", *arguments, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path / "data"), STRIPE_API_KEY="")

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert words in result.stderr
    assert not (tmp_path / "data").exists()


def test_what_cannot_be_checked_is_told_to_programs_too(cli: Cli) -> None:
    refused = json.loads(cli("check-api", "--user", "", "--json").stdout)

    assert (refused["error"]["code"], refused["error"]["exitCode"]) == ("usage", ExitCode.USAGE)


def test_an_address_is_asked_for_where_the_profile_asks_with_it(cli: Cli, tmp_path: Path) -> None:
    by_address = shipped_text("stripe").replace("{user.id}", "{user.email}")
    (tmp_path / "club.toml").write_text(by_address)
    arguments = ["check-api", "--user", "42", "--profile", str(tmp_path / "club.toml"), "--url", NOWHERE]
    result = cli(*arguments, STRIPE_API_KEY="x")

    assert result.exit_code == ExitCode.USAGE
    assert "--email is missing: club.toml asks with {user.email}" in result.stderr


def test_a_secret_of_our_own_is_made_by_no_check(cli: Cli, tmp_path: Path) -> None:
    data = tmp_path / "data"
    cli("check-api", "--user", "42", "--url", NOWHERE, MEMBERSHIPS_EXPORT_DATA_DIR=str(data))

    assert not data.exists()
