"""Commands of operators on the data of a service of another version: told, left alone, and never taken over."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli

COMMANDS = [
    "exports list",
    "exports show abcdef",
    "exports cancel abcdef",
    "exports resend abcdef",
    "exports retry abcdef",
    "exports retry --all --code foreign_rows",
    "dlq list",
    "dlq show abcdef",
    "dlq redrive --all",
    "dlq purge --yes",
    "audit",
    "pause",
    "resume",
    "erase --user user-1 --yes",
    "erase --again",
    "erase --list",
]
HAS_NO_JSON = ("redrive", "purge")


def version_of(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "exports.db")) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


@pytest.mark.parametrize("version, told", [(99, "newer version"), (6, "older version")])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_so_and_changes_nothing(cli: Cli, tmp_path: Path, command: str, version: int, told: str) -> None:
    with closing(sqlite3.connect(tmp_path / "exports.db")) as database:
        database.execute(f"PRAGMA user_version = {version}")
    result = cli(*command.split(), MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert result.exit_code == 1, result.output
    assert told in result.stderr
    if not any(word in command for word in HAS_NO_JSON):
        answer = cli(*command.split(), "--json", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
        assert json.loads(answer.stdout)["error"]["code"] == "storage_unavailable"
    assert version_of(tmp_path) == version


@pytest.mark.parametrize("version, told", [(99, "run the newer version"), (6, "make a backup")])
def test_doctor_says_what_to_do(cli: Cli, tmp_path: Path, version: int, told: str) -> None:
    with closing(sqlite3.connect(tmp_path / "exports.db")) as database:
        database.execute(f"PRAGMA user_version = {version}")
    result = cli("doctor", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert told in result.stdout
    assert version_of(tmp_path) == version
