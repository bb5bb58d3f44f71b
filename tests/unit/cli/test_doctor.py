"""`doctor` finds what keeps a service from working, says what to type, and changes nothing."""

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import Result

from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.adapters.embedded.database import SCHEMA_VERSION
from memberships_export.adapters.embedded.doctor import folder_checks
from memberships_export.bootstrap.backend import connect, load_secrets
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.export.record import ExportStatus, StoredFile
from memberships_export.settings import Settings
from tests.factories import an_export
from tests.unit.cli.conftest import Cli

Doctor = Callable[..., Result]
OLD = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of a service that has made an export, and is well."""
    folder, now = tmp_path / "data", utc_now()
    settings = Settings(data_dir=folder)
    ports = connect(settings, None)
    load_secrets(settings)
    SqliteMembershipRepository(folder / "memberships.db").close()
    ports.files.put_once(f"csv/{OLD}/1-a.csv", b"a file")
    ports.files.put_once(f"parts/{OLD}/0-000000-a.part", b"a page")
    file = StoredFile(
        key=f"csv/{OLD}/1-a.csv", name="m.csv", rows=1, bytes=6, sha256="00", expires_at=now + timedelta(days=7)
    )
    ports.store.create(an_export(export_id=OLD, requested_at=now, status=ExportStatus.COMPLETED, file=file))
    return folder


@pytest.fixture
def doctor(cli: Cli, tmp_path: Path) -> Doctor:
    def run(*arguments: str, **environ: str) -> Result:
        return cli("doctor", *arguments, **({"MEMBERSHIPS_EXPORT_DATA_DIR": str(tmp_path / "data")} | environ))

    return run


def found(result: Result) -> dict[str, Any]:
    """Return the checks that found anything or could not tell, by name."""
    return {check["name"]: check for check in json.loads(result.stdout)["checks"] if not check["ok"]}


def state(root: Path) -> dict[str, tuple[int, float]]:
    """Return rights and time of all files but those that SQLite keeps beside an open database."""
    paths = [root, *(path for path in root.rglob("*") if not path.name.endswith(("-wal", "-shm")))]
    return {str(path): (path.stat().st_mode, path.stat().st_mtime) for path in paths if path != root}


def test_a_service_that_is_well_is_told_so_and_nothing_is_changed(doctor: Doctor, data: Path) -> None:
    before = state(data)

    result = doctor()

    assert result.exit_code == 0, result.output
    assert [line[:6] for line in result.stdout.splitlines()] == ["ok    "] * 12
    assert state(data) == before


def sql(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / "exports.db")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def damage_database(data: Path) -> None:
    sql(data, "PRAGMA wal_checkpoint(TRUNCATE)")
    with (data / "exports.db").open("r+b") as file:
        file.seek(4096 + 100)
        file.write(b"\xff" * 4096)


def a_dead_process(data: Path) -> None:
    (data / "processes").mkdir(mode=0o700, exist_ok=True)
    (data / "processes" / "1-a.lock").touch(mode=0o600)


def a_weak_secret(data: Path) -> None:
    (data / "secrets" / "links").write_text("secret" * 10)


TROUBLE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "open folder": (lambda data: data.chmod(0o755), "permissions", "chmod -R go="),
    "open file": (lambda data: (data / "secrets" / "jwt").chmod(0o644), "permissions", "chmod -R go="),
    "half restored": (lambda data: (data / "restoring").mkdir(mode=0o700), "restore", "restore"),
    "newer schema": (lambda data: sql(data, f"PRAGMA user_version = {SCHEMA_VERSION + 1}"), "schema", "newer version"),
    "older schema": (lambda data: sql(data, "PRAGMA user_version = 5"), "schema", "make a backup"),
    "clock set back": (lambda data: sql(data, "UPDATE exports SET written_at = 9999999999"), "clock", "timedatectl"),
    "files of nobody": (lambda data: (data / "files" / "csv" / "lost").mkdir(mode=0o700), "files", "rm -r"),
    "missing file": (lambda data: (data / "files" / "csv" / OLD / "1-a.csv").unlink(), "files", "resend"),
    "cut file": (lambda data: os.truncate(data / "files" / "csv" / OLD / "1-a.csv", 2), "files", "resend"),
    "a dead worker": (a_dead_process, "processes", "start"),
    "no secret": (lambda data: (data / "secrets" / "links").unlink(), "secrets", "restore it from a backup"),
    "weak secret": (a_weak_secret, "secrets", "rm "),
    "damaged database": (damage_database, "integrity", "restore a backup"),
    "outbox is a file": (lambda data: (data / "outbox").touch(mode=0o600), "outbox", "chmod"),
}


@pytest.mark.parametrize("make, name, fix", TROUBLE.values(), ids=TROUBLE.keys())
def test_each_trouble_is_found_by_its_check_with_what_to_type(
    doctor: Doctor, data: Path, make: Callable[[Path], object], name: str, fix: str
) -> None:
    make(data)

    result = doctor("--json")

    checks = found(result)
    assert name in checks, result.stdout
    assert fix in checks[name]["findings"][0]["fix"]
    assert result.exit_code == 1
    others = [check for check in checks.values() if check["findings"] and check["name"] not in {name, "settings"}]
    assert others == [], "nothing else is wrong"


def test_a_worker_that_lives_notices_the_dead_ones_itself(doctor: Doctor, data: Path) -> None:
    a_dead_process(data)
    (data / "processes" / "2-b.lock").touch(mode=0o600)
    with (data / "processes" / "2-b.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        assert doctor().exit_code == 0


def test_a_disk_that_is_nearly_full_is_found(doctor: Doctor, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data.exists()
    monkeypatch.setattr(folder_checks.shutil, "disk_usage", lambda _path: SimpleNamespace(free=100_000_000))  # type: ignore[attr-defined]

    result = doctor("--json")

    assert "100 MB left" in found(result)["space"]["findings"][0]["what"]


@pytest.mark.parametrize(
    "environ, said",
    [
        ({"LEASE_SECONDS": "10", "MEMBERSHIPS_TIMEOUT_SECONDS": "30"}, "LEASE_SECONDS is 10, but must be more than"),
        ({"MAX_HOURS": "2"}, "MAX_HOURS is 2, but must be more than"),
        ({"PORTT": "1"}, "PORTT is not a setting"),
        ({"PROFILE": "/nowhere.toml"}, "/nowhere.toml"),
        ({"KEEP_FILES_DAYS": "1"}, "a file may expire while its mail still waits"),
        ({"SWEEP_SECONDS": "600"}, "wait for the sweeper"),
        (
            {"MAILER": "smtp", "SMTP_HOST": "mail.example.org", "MAIL_FROM": "a@example.org"},
            "PUBLIC_URL is not set, but MEMBERSHIPS_EXPORT_MAILER is smtp",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_found_and_the_folder_is_looked_at_all_the_same(
    doctor: Doctor, data: Path, environ: dict[str, str], said: str
) -> None:
    data.chmod(0o755)

    result = doctor("--json", **{f"MEMBERSHIPS_EXPORT_{name}": value for name, value in environ.items()})

    checks = found(result)
    assert any(said in finding["what"] for finding in checks["settings"]["findings"]), result.stdout
    assert "permissions" in checks
    assert result.exit_code == 1


def test_what_cannot_be_looked_at_is_said_and_is_not_taken_for_well(
    doctor: Doctor, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    assert data.exists()
    monkeypatch.setattr(folder_checks.os, "statvfs", fail)  # type: ignore[attr-defined]

    result = doctor()

    assert result.exit_code == 2
    assert "?     space: " in result.stdout


def test_secrets_that_the_settings_give_need_no_files(doctor: Doctor, data: Path) -> None:
    shutil.rmtree(data / "secrets")
    given = {
        f"MEMBERSHIPS_EXPORT_{name}_SECRET": f"{name} 0123456789abcdefghijklmnopqrstuv"
        for name in ("JWT", "SERVICE", "LINK")
    }

    assert doctor(**given).exit_code == 0
    assert [finding["fix"] for finding in found(doctor("--json"))["secrets"]["findings"]] == [
        "restore it from a backup, or let it be made"
    ] * 3


def test_where_no_service_has_run_there_is_nothing_to_look_at(doctor: Doctor, tmp_path: Path) -> None:
    assert doctor().exit_code == 2
    assert not (tmp_path / "data").exists()


def test_on_aws_there_is_no_data_folder(doctor: Doctor, data: Path) -> None:
    refused = doctor(MEMBERSHIPS_EXPORT_BACKEND="aws")

    assert data.exists()
    assert (refused.exit_code, "docs/runbook-aws.md" in refused.stderr) == (2, True)


def test_nothing_it_says_names_a_person(doctor: Doctor, data: Path) -> None:
    sql(data, "UPDATE exports SET document = json_set(document, '$.file.bytes', 7)")

    assert "member@example.org" not in doctor().output + doctor("--json").output
