import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from memberships_api.repository import PageRequest
from memberships_api.sqlite_repository import SqliteMembershipRepository
from tests.unit.cli.conftest import Cli

HEADER = "member,plan,price,from\n"
MAPPING = (
    *("--column", "userId=member", "--column", "name=plan", "--column", "recurringPrice=price"),
    *("--column", "validFrom=from", "--set", "state=active", "--set", "billingInterval=month"),
    *("--set", "billingPeriods=1"),
)
Import = Callable[..., Result]


@pytest.fixture
def import_rows(cli: Cli, tmp_path: Path) -> Import:
    def run(rows: str, *arguments: str) -> Result:
        file = tmp_path / "in.csv"
        file.write_text(HEADER + rows, encoding="utf-8")
        return cli("import", str(file), *MAPPING, *arguments, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path / "data"))

    return run


def stored(tmp_path: Path, user_id: str) -> int:
    repository = SqliteMembershipRepository(tmp_path / "data" / "memberships.db")
    try:
        return repository.page(PageRequest(user_id, 100)).snapshot.total
    finally:
        repository.close()


def test_rows_become_memberships_of_the_bundled_api(import_rows: Import, tmp_path: Path) -> None:
    result = import_rows("u1,Gold,120,2024-01-01\nu1,Silver,12.50,2024-02-01\n")
    assert (result.exit_code, result.stdout) == (0, "2 memberships imported.\n")
    assert stored(tmp_path, "u1") == 2


def test_one_refused_row_keeps_all_out_and_is_named_by_its_line(import_rows: Import, tmp_path: Path) -> None:
    result = import_rows("u1,Gold,120,2024-01-01\nu1,Silver,much,2024-02-01\n")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "line 3: recurringPrice is 'much'" in result.stderr
    assert stored(tmp_path, "u1") == 0


def test_after_twenty_problems_the_rest_is_counted(import_rows: Import) -> None:
    result = import_rows("u1,Gold,much,2024-01-01\n" * 25)
    lines = result.stderr.splitlines()
    assert len([line for line in lines if line.startswith("line ")]) == 20
    assert lines[-1] == "... and 5 more"


def test_json_tells_all_problems(import_rows: Import) -> None:
    result = import_rows("u1,Gold,much,2024-01-01\n" * 25, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["imported"], len(told["problems"])) == (1, 0, 25)
    assert told["problems"][0]["line"] == 2


@pytest.mark.parametrize(
    "arguments", [("--column", "name"), ("--set", "=x"), ("--column", "name=a"), ("--set", "state=paused")]
)
def test_a_mapping_that_is_no_pair_or_names_a_field_twice_is_wrong_usage(
    import_rows: Import, arguments: tuple[str, str]
) -> None:
    assert import_rows("", *arguments).exit_code == 2


def test_a_file_that_is_not_there_is_named(cli: Cli, tmp_path: Path) -> None:
    result = cli("import", "no-such.csv", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert "no-such.csv" in result.stderr


def test_a_database_that_is_none_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "memberships.db").write_bytes(b"this is no database at all" * 100)
    result = cli("import", "x.csv", MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
    assert result.exit_code == 1
    assert "memberships.db" in result.stderr
