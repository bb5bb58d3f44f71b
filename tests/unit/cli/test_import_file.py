import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import Result

from memberships_api import sqlite_repository
from memberships_api.repository import PageRequest
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.entrypoints.cli.operate.import_progress import shown
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
    assert told["error"] == {"code": "import_refused", "message": "Nothing was imported.", "exitCode": 1}


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


GERMAN = "member;plan;price;from\nu1;Größe;29,90;31.12.2024\n"


def run_german(cli: Cli, tmp_path: Path, *arguments: str) -> Result:
    file = tmp_path / "in.csv"
    file.write_bytes(GERMAN.encode("cp1252"))
    return cli("import", str(file), *MAPPING, *arguments, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path / "data"))


def test_how_a_file_is_read_is_told_unless_it_was_said(cli: Cli, tmp_path: Path) -> None:
    guessed = run_german(cli, tmp_path)
    assert (guessed.exit_code, guessed.stdout) == (0, "1 memberships imported.\n")
    assert (
        "Reading in.csv as cp1252 (with words like 'Größe'), separated by semicolons, decimal comma" in guessed.stderr
    )
    said = run_german(
        *(cli, tmp_path, "--encoding", "cp1252", "--delimiter", ";"),
        *("--decimal", ",", "--date-format", "DD.MM.YYYY"),
    )
    assert (said.exit_code, said.stderr) == (0, "")


def test_json_tells_how_the_file_was_read_and_what_became_of_it(import_rows: Import) -> None:
    result = import_rows(" u1,Gold,29.90,2024-01-01\n", "--json")
    assert json.loads(result.stdout) == {
        "imported": 1,
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "problems": [],
        "more": 0,
        "readAs": {"encoding": "utf-8", "delimiter": ",", "decimal": ".", "dateFormat": "YYYY-MM-DD"},
        "notices": ["userId had white space around it, which was taken off (line 2)."],
    }


def test_an_update_counts_what_it_did(import_rows: Import) -> None:
    by_id = ("--column", "id=plan", "--set", "assignedBy=desk", "--update")
    assert import_rows("u1,1,29.90,2024-01-01\nu1,2,29.90,2024-01-01\n", *by_id).stdout == (
        "2 added, 0 changed, 0 unchanged.\n"
    )
    again = import_rows("u1,1,29.90,2024-01-01\nu1,2,9.90,2024-01-01\nu1,3,29.90,2024-01-01\n", *by_id)
    assert again.stdout == "1 added, 1 changed, 1 unchanged.\n"


@pytest.mark.parametrize(
    "option", [("--delimiter", "ab"), ("--encoding", "rot13"), ("--decimal", "x"), ("--date-format", "YY")]
)
def test_an_option_that_makes_no_sense_is_wrong_usage(import_rows: Import, option: tuple[str, str]) -> None:
    result = import_rows("", *option)
    assert result.exit_code == 2
    assert repr(option[1]) in result.stderr


def test_mail_addresses_in_refused_values_are_masked(import_rows: Import) -> None:
    rows = "tom.meyer@example.org\u200b,Gold,1,2024-01-01\n"
    for result in (import_rows(rows), import_rows(rows, "--json")):
        assert "t***@example.org" in result.output
        assert "tom.meyer" not in result.output


def test_more_problems_than_are_kept_are_counted_for_scripts_too(import_rows: Import) -> None:
    rows = "u1,Gold,much,2024-01-01\n" * 4832
    assert import_rows(rows).stderr.splitlines()[-1] == "... and 4,812 more"
    told = json.loads(import_rows(rows, "--json").stdout)
    assert (len(told["problems"]), told["more"]) == (1000, 3832)
    assert told["problems"][0]["column"] == "price"


# --- Troubles with the database ---------------------------------------------------------------------------------------

ROW = "u1,Gold,1,2024-01-01\n"


def test_a_database_that_somebody_else_writes_is_told(
    import_rows: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert import_rows(ROW).exit_code == 0
    monkeypatch.setattr(sqlite_repository, "BUSY_SECONDS", 0.01)
    with closing(sqlite3.connect(tmp_path / "data" / "memberships.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = import_rows(ROW)
    assert result.exit_code == 1
    assert "Nothing was imported. The database" in result.stderr
    assert "another import, is writing to it: wait until that has ended" in result.stderr


def test_a_full_disk_is_told_in_one_sentence(
    import_rows: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert import_rows(ROW).exit_code == 0
    opened = sqlite_repository.opened

    def full(path: Path, busy_seconds: float) -> sqlite3.Connection:
        connection = opened(path, busy_seconds)
        connection.execute("PRAGMA max_page_count = 1")  # SQLite then says what it says of a full disk
        return connection

    monkeypatch.setattr(sqlite_repository, "opened", full)
    result = import_rows(ROW * 2000)
    assert result.exit_code == 1
    assert "memberships.db cannot be used (database or disk is full): the disk" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    monkeypatch.undo()
    assert stored(tmp_path, "u1") == 1


def test_a_database_that_may_not_be_written_is_told(import_rows: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    assert import_rows(ROW).exit_code == 0
    opened = sqlite_repository.opened

    def read_only(path: Path, busy_seconds: float) -> sqlite3.Connection:
        connection = opened(path, busy_seconds)
        connection.execute("PRAGMA query_only = ON")  # as on a file system that is mounted so, whoever runs this test
        return connection

    monkeypatch.setattr(sqlite_repository, "opened", read_only)
    result = import_rows(ROW)
    assert result.exit_code == 1
    assert "(attempt to write a readonly database): nobody may write to it" in result.stderr


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


def test_ctrl_c_in_the_middle_of_a_file_imports_nothing_and_says_so(tmp_path: Path) -> None:
    pipe = tmp_path / "in.csv"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "memberships_export.entrypoints.cli.main", "import", str(pipe), *MAPPING]
    environ = {**os.environ, "MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path / "data")}
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as importing:
        with pipe.open("w", encoding="utf-8") as file:
            file.write(GERMAN + "u1;Gold;29,90;31.12.2024\n" * 40_000)
            file.flush()
            assert importing.stderr is not None
            assert importing.stderr.readline().startswith("Reading in.csv as utf-8, separated by semicolons")
            importing.send_signal(signal.SIGINT)
            said = importing.stderr.read()
        assert importing.wait() == 1
    assert said == "Interrupted: nothing was imported, and the memberships are as they were.\n"
    assert stored(tmp_path, "u1") == 0


def test_ctrl_c_is_too_late_when_the_rows_are_being_made_last() -> None:
    before = signal.getsignal(signal.SIGINT)
    with shown("in.csv", Console(stderr=True), as_json=False) as watcher:
        watcher.committing()
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before


def test_a_terminal_sees_a_bar_with_the_rows() -> None:
    console = Console(force_terminal=True, width=100, record=True)
    with shown("in.csv", console, as_json=False) as watcher:
        watcher.reading(50, 100)
        watcher.adding(1)
    assert "1 new rows" in console.export_text()
