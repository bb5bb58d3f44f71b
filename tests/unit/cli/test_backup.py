"""`backup` and `restore` as they are typed: what they print, and how they end."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from memberships_export.adapters.embedded.sqlite_audit import SqliteAuditLog
from memberships_export.bootstrap.backend import connect
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.audit import Audited, AuditQuery
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.settings import Settings
from tests.factories import an_export
from tests.unit.cli.conftest import Cli

Typed = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a service that has one unfinished export."""
    folder = tmp_path / "data"
    ports = connect(Settings(data_dir=folder), None)
    ports.store.create(an_export(requested_at=utc_now()))
    return folder


@pytest.fixture
def typed(cli: Cli, tmp_path: Path) -> Typed:
    def run(*arguments: str, **environ: str) -> Result:
        return cli(*arguments, **({"MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path / "data")} | environ))

    return run


def test_a_backup_and_a_restore_tell_what_they_did(typed: Typed, data: Path, tmp_path: Path) -> None:
    made = typed("backup", str(tmp_path / "backup"))
    data.rename(tmp_path / "lost")
    restored = typed("restore", str(tmp_path / "backup"), "--yes")

    assert (made.exit_code, restored.exit_code) == (0, 0), made.output + restored.output
    assert made.stdout.startswith(f"{tmp_path / 'backup'}: 1 exports, ")
    assert "secrets of the service" in made.stderr
    assert restored.stdout.startswith(f"{data}: 1 exports, ")
    assert "1 unfinished exports may have been mailed since the backup. 15 minutes from now" in restored.stderr
    assert "erased since the backup" in restored.stderr


def test_with_json_there_is_one_value_that_names_no_person(typed: Typed, data: Path, tmp_path: Path) -> None:
    made = typed("backup", str(tmp_path / "backup"), "--json")
    restored = typed("restore", str(tmp_path / "backup"), "--to", str(tmp_path / "new"), "--yes", "--json")

    assert json.loads(made.stdout).keys() == {"folder", "madeAt", "program", "schema", "exports", "files", "bytes"}
    told = json.loads(restored.stdout)
    assert (told["dataFolder"], told["exports"], told["maybeMailed"], told["letters"]) == (
        str(tmp_path / "new"),
        1,
        1,
        0,
    )
    assert "@" not in made.output + restored.output
    assert (tmp_path / "new" / "exports.db").exists()
    assert data.exists(), "another folder was meant"


def actions(data: Path) -> list[tuple[str, str, str]]:
    page = connect(Settings(data_dir=data), None).audit.read(AuditQuery())
    return [(entry.action.value, entry.outcome.value, entry.actor.value) for entry in page.entries]


def test_both_are_in_the_audit_log(typed: Typed, data: Path, tmp_path: Path) -> None:
    typed("backup", str(tmp_path / "backup"))
    typed("backup", str(tmp_path / "backup"))
    noted = actions(data)
    data.rename(tmp_path / "lost")
    typed("restore", str(tmp_path / "backup"), "--yes")

    assert noted == [("backup.made", "failed", "operator"), ("backup.made", "done", "operator")]
    assert actions(data) == [("backup.restored", "done", "operator"), ("backup.made", "begun", "operator")]


def test_a_backup_that_cannot_be_noted_is_not_made(
    typed: Typed, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_log: SqliteAuditLog, _entry: Audited) -> None:
        raise StorageUnavailable("The audit log cannot be written.")

    monkeypatch.setattr(SqliteAuditLog, "note", refuse)

    assert data.exists()
    assert typed("backup", str(tmp_path / "backup")).exit_code == 1
    assert not (tmp_path / "backup").exists()


def test_what_was_erased_since_the_backup_is_erased_again(typed: Typed, data: Path, tmp_path: Path) -> None:
    typed("backup", str(tmp_path / "backup"))
    erased = typed("erase", "--user", "user-1", "--yes")
    listed = typed("erase", "--list", "--json")
    (tmp_path / "erased.json").write_text(listed.stdout)
    data.rename(tmp_path / "lost")

    restored = typed("restore", str(tmp_path / "backup"), "--yes", "--erased", str(tmp_path / "erased.json"))

    assert (erased.exit_code, restored.exit_code) == (0, 0), erased.output + restored.output
    assert "1 exports were erased again" in restored.stderr
    assert connect(Settings(data_dir=data), None).store.list_for_user("user-1", 10) == []
    assert ("data.erased", "done", "operator") in actions(data)


def test_a_list_of_erasures_that_is_none_is_found_before_anything_is_restored(
    typed: Typed, data: Path, tmp_path: Path
) -> None:
    typed("backup", str(tmp_path / "backup"))
    data.rename(tmp_path / "lost")
    (tmp_path / "erased.json").write_text("{}")

    refused = typed("restore", str(tmp_path / "backup"), "--yes", "--erased", str(tmp_path / "erased.json"))

    assert (refused.exit_code, data.exists()) == (2, False)


def test_a_restore_asks_first(typed: Typed, data: Path, tmp_path: Path) -> None:
    typed("backup", str(tmp_path / "backup"))
    data.rename(tmp_path / "lost")

    asked = typed("restore", str(tmp_path / "backup"))

    assert asked.exit_code == 1
    assert "Restore 1 exports, " in asked.stderr
    assert not data.exists()


@pytest.mark.parametrize("arguments", [("restore", "backup", "--yes"), ("restore", "backup", "--yes", "--json")])
def test_a_refusal_ends_with_one_and_changes_nothing(
    typed: Typed, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    typed("backup", "backup")

    refused = typed(*arguments)

    assert refused.exit_code == 1
    assert f"mv {data} {data}.before" in refused.stderr
    assert ("--json" in arguments) == ('"storage_unavailable"' in refused.stdout)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_on_aws_there_is_no_data_folder(typed: Typed, tmp_path: Path, command: str) -> None:
    needed = {
        f"MEMBERSHIPS_EXPORT_{name}": "x"
        for name in ("QUEUE_URL", "TABLE", "BUCKET", "SERVICE_SECRET_ID", "LINK_SECRET_ID", "AUDIT_SECRET_ID")
    }
    url = {
        "MEMBERSHIPS_EXPORT_BACKEND": "aws",
        "MEMBERSHIPS_EXPORT_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/1/q",
    }

    refused = typed(command, str(tmp_path / "backup"), **(needed | url))

    assert refused.exit_code == 2
    assert "docs/backup.md" in refused.stderr


def test_where_no_service_has_run_there_is_nothing_to_copy(typed: Typed, tmp_path: Path) -> None:
    refused = typed("backup", str(tmp_path / "backup"))

    assert refused.exit_code == 2
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize("command", ["worker", "token", "dlq"])
def test_on_a_folder_that_is_half_restored_nothing_starts(typed: Typed, data: Path, command: str) -> None:
    (data / "restoring").mkdir()
    more = {"token": ("--user-id", "u", "--email", "u@example.org"), "dlq": ("list",), "worker": ("--port", "1")}

    refused = typed(command, *more[command])

    assert refused.exit_code == 1
    assert "a restore is under way there, or was cut short" in refused.stderr
