"""A record, a letter or an entry that cannot be read: each command says which, and does the rest."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.messages.message import Message
from memberships_export.domain.messages.wake import wake_message
from memberships_export.ports import Ports
from tests.factories import an_export
from tests.unit.cli.conftest import Cli

LOST, WELL = "10000000-0000-4000-8000-000000000001", "20000000-0000-4000-8000-000000000002"
Here = Callable[..., Result]
DOCUMENTS = ['{"export_id": "1000', '{"status": "on_the_moon"}', "[]"]


@pytest.fixture
def here(cli: Cli, tmp_path: Path) -> Here:
    def run(*arguments: str) -> Result:
        result = cli(*arguments, MEMBERSHIPS_EXPORT_DATA_DIR=str(tmp_path))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result

    return run


def sql(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "exports.db")) as connection:
        connection.execute(statement, values)
        connection.commit()


@pytest.fixture(params=DOCUMENTS)
def lost(request: pytest.FixtureRequest, ports: Ports, tmp_path: Path) -> str:
    """One record that can be read, one that cannot, and a letter of each."""
    now = utc_now()
    for export_id, user in ((LOST, "alice"), (WELL, "bob")):
        export = ports.store.create(
            an_export(export_id=export_id, user_id=user, email=f"{user}@example.org", requested_at=now, wake_at=now)
        )
        ports.dead_letters.add(wake_message(export))
    sql(tmp_path, "UPDATE exports SET document = ? WHERE export_id = ?", request.param, LOST)
    return LOST


CANNOT = f"The record of export {LOST} cannot be read"


def test_the_list_has_the_others_and_names_it(here: Here, lost: str) -> None:
    result = here("exports", "list")
    assert result.exit_code == 0
    assert WELL in result.stdout
    assert f"Cannot be read, and left out of this part of the list: 1 record ({lost})" in result.stderr
    assert json.loads(here("exports", "list", "--json").stdout)["unreadable"] == [lost]


@pytest.mark.parametrize("command", ["show", "cancel", "resend", "retry"])
@pytest.mark.parametrize("typed", [LOST, LOST[:8]])
def test_whoever_names_it_is_told(here: Here, lost: str, command: str, typed: str) -> None:
    assert lost
    result = here("exports", command, typed, "--json")
    assert result.exit_code == 1
    assert CANNOT in result.stderr
    assert json.loads(result.stdout)["error"]["code"] == "unreadable_record"


def test_retry_of_all_passes_it_over(here: Here, lost: str) -> None:
    assert lost
    result = here("exports", "retry", "--all", "--code", "memberships_unavailable")
    assert result.exit_code == 0
    assert "No export waits for that." in result.stderr


def test_its_letter_is_shown_and_refused_and_the_others_are_redriven(here: Here, lost: str) -> None:
    assert here("dlq", "list").stdout.count("\n") == 3
    assert CANNOT in here("dlq", "show", lost).stdout
    result = here("dlq", "redrive", "--all")
    assert result.exit_code == 1
    assert f"{lost}  refused  {CANNOT}" in result.stdout
    assert "1 refused" in result.stdout
    assert WELL not in here("dlq", "list").stdout, "what can be redriven is"
    assert here("dlq", "purge", lost, "--yes").exit_code == 0


def test_erase_takes_it_and_says_so(here: Here, lost: str, ports: Ports) -> None:
    result = here("erase", "--user", "alice", "--yes")
    assert result.exit_code == 0
    assert [lost, "unreadable"] == [result.stdout.splitlines()[1].split()[n] for n in (0, 2)]
    assert "could not be read any more" in result.stdout
    assert not list(ports.store.ids_of_user("alice"))
    assert here("erase", "--list").stdout.count("unreadable") == 1
    assert here("erase", "--again").exit_code == 0


def test_doctor_finds_it(here: Here, lost: str) -> None:
    result = here("doctor")
    assert result.exit_code == 1
    assert f"look  records: 1 records cannot be read: {lost}." in result.stdout


def test_a_backup_takes_it_and_a_restore_too(
    here: Here, lost: str, cli: Cli, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert here("backup", str(elsewhere / "backup")).exit_code == 0
    restored = cli("restore", str(elsewhere / "backup"), "--yes", MEMBERSHIPS_EXPORT_DATA_DIR=str(elsewhere / "new"))
    assert restored.exit_code == 0, restored.output
    shown = cli("exports", "show", lost, MEMBERSHIPS_EXPORT_DATA_DIR=str(elsewhere / "new"))
    assert CANNOT in shown.stderr


def test_an_entry_of_the_audit_log_that_cannot_be_read_is_told_and_the_others_are_shown(
    here: Here, ports: Ports, tmp_path: Path
) -> None:
    ports.audit.forget_before(utc_now())
    here("audit")
    here("audit")
    sql(tmp_path, "UPDATE audit SET action = 'moon.landed' WHERE id = (SELECT min(id) FROM audit)")
    result = here("audit")
    assert result.exit_code == 0
    assert "1 entries cannot be read, and are not shown." in result.stderr
    assert result.stdout.count("audit.read") == 2
    assert len(json.loads(here("audit", "--json").stdout)["unreadable"]) == 1
    assert len(json.loads(here("audit", "--json", "--limit", "1").stdout)["entries"]) == 1


@pytest.mark.parametrize("body", ["{", "[]", '{"userId": 1}', "null", "no JSON"])
def test_a_letter_that_cannot_be_read_is_listed_shown_refused_and_purged(here: Here, ports: Ports, body: str) -> None:
    ports.dead_letters.add(Message(body, {}))
    assert here("dlq", "list").exit_code == 0
    (letter,) = json.loads(here("dlq", "list", "--json").stdout)
    assert here("dlq", "show", letter["messageId"]).exit_code == 0
    refused = here("dlq", "redrive", letter["messageId"])
    assert (refused.exit_code, "It can only be purged." in refused.stdout) == (1, True)
    assert here("dlq", "list", "--group").exit_code == 0
    assert here("dlq", "purge", letter["messageId"], "--yes").exit_code == 0


@pytest.mark.parametrize("column", ["body", "attributes"])
def test_a_letter_whose_bytes_are_damaged_is_listed_shown_refused_and_purged(
    here: Here, ports: Ports, tmp_path: Path, column: str
) -> None:
    ports.dead_letters.add(Message("{}", {"exportId": WELL, "userId": "bob", "email": "bob@example.org"}))
    sql(tmp_path, f"UPDATE dead_letters SET {column} = CAST(x'ff7b' AS TEXT)")  # noqa: S608  (ours)
    (letter,) = json.loads(here("dlq", "list", "--json").stdout)
    assert here("dlq", "show", letter["messageId"]).exit_code == 0
    assert here("dlq", "redrive", "--all").exit_code == 1
    assert here("dlq", "purge", letter["messageId"], "--yes").exit_code == 0
    assert "The dead letter queue is empty." in here("dlq", "list").stderr
