"""A restore gives back what was there, from a whole backup only, to a folder where nothing is lost by it."""

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from memberships_export.adapters import embedded
from memberships_export.adapters.embedded.backup.half_restored import refuse_half_restored
from memberships_export.adapters.embedded.backup.making import make_backup
from memberships_export.adapters.embedded.backup.restoring import restore
from memberships_export.adapters.embedded.database import SCHEMA_VERSION, Database
from memberships_export.adapters.embedded.machine import EmbeddedMachine
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import Evidence, ExportStatus
from tests.fakes.broken_disk import files_end_at
from tests.unit.adapters.backup.a_folder import (
    AT,
    a_backup_of,
    a_data_folder,
    content,
    killed_in,
    record,
)

NOW = AT + timedelta(days=1)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    a_data_folder(tmp_path / "old")
    make_backup(a_backup_of(tmp_path / "old", tmp_path / "backup"))
    return tmp_path / "backup"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_data_folder_is_as_it_was_and_for_its_owner_only(tmp_path: Path, backup: Path) -> None:
    before = os.umask(0)
    try:
        done = restore(backup, tmp_path / "data", NOW)
    finally:
        os.umask(before)

    assert content(tmp_path / "data") == content(tmp_path / "old")
    assert done.manifest.exports == 1
    assert names(tmp_path / "data") == ["exports.db", "files", "memberships.db", "outbox", "secrets"]
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "data").rglob("*") if path.is_file()}
    folders = {
        path.stat().st_mode & 0o777 for path in [tmp_path / "data", *(tmp_path / "data").rglob("*")] if path.is_dir()
    }
    assert (modes, folders) == ({0o600}, {0o700})


def test_the_database_is_as_the_service_needs_it(tmp_path: Path, backup: Path) -> None:
    restore(backup, tmp_path / "data", NOW)

    database = Database(tmp_path / "data" / "exports.db")
    assert database.read("PRAGMA journal_mode")[0][0] == "wal"
    assert database.read("PRAGMA user_version")[0][0] == SCHEMA_VERSION
    database.close()


def test_an_unfinished_export_may_have_been_mailed_since_and_says_so(tmp_path: Path) -> None:
    export = a_data_folder(tmp_path / "old")
    make_backup(a_backup_of(tmp_path / "old", tmp_path / "backup"))

    done = restore(tmp_path / "backup", tmp_path / "data", NOW)

    [send] = record(tmp_path / "data", export.export_id).sends
    assert (send.number, send.mailing, send.evidence, send.started_at) == (1, 1, Evidence.SILENT, NOW)
    assert (done.maybe_mailed, record(tmp_path / "old", export.export_id).sends) == (1, ())


def test_a_finished_export_stays_as_it_was(tmp_path: Path) -> None:
    export = a_data_folder(tmp_path / "old", status=ExportStatus.COMPLETED)
    make_backup(a_backup_of(tmp_path / "old", tmp_path / "backup"))

    done = restore(tmp_path / "backup", tmp_path / "data", NOW)

    assert record(tmp_path / "data", export.export_id) == record(tmp_path / "old", export.export_id)
    assert done.maybe_mailed == 0


def test_an_empty_folder_that_others_can_read_is_closed(tmp_path: Path, backup: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data").chmod(0o755)

    restore(backup, tmp_path / "data", NOW)

    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


# --- What is no whole backup ------------------------------------------------------------------------------------------


def manifest_with(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def damage(backup: Path) -> None:
        told = json.loads((backup / "manifest.json").read_bytes())
        change(told)
        (backup / "manifest.json").write_text(json.dumps(told))

    return damage


def with_path(path: str) -> Callable[[Path], object]:
    """Name one more file, at a path that leads elsewhere; there is one, and its hash would be right."""

    def add(told: dict[str, Any]) -> None:
        told["files"].append({**told["files"][-1], "path": path})

    return manifest_with(add)


def link_instead_of(path: str) -> Callable[[Path], object]:
    def damage(backup: Path) -> None:
        aside = backup.parent / "aside"
        (backup / path).rename(aside)
        (backup / path).symlink_to(aside)

    return damage


def other_bytes(backup: Path) -> None:
    path = backup / "outbox" / "a.eml"
    path.write_bytes(b"x" * path.stat().st_size)


def manifest_as_a_folder(backup: Path) -> None:
    (backup / "manifest.json").unlink()
    (backup / "manifest.json").mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no manifest": lambda backup: (backup / "manifest.json").unlink(),
    "empty manifest": lambda backup: (backup / "manifest.json").write_bytes(b""),
    "cut manifest": lambda backup: os.truncate(backup / "manifest.json", 100),
    "manifest that is a folder": manifest_as_a_folder,
    "manifest that is a link": link_instead_of("manifest.json"),
    "other form": manifest_with(lambda told: told.update(form=2)),
    "a hash that was changed": manifest_with(lambda told: told["files"][-1].update(sha256="0" * 64)),
    "a size that was changed": manifest_with(lambda told: told["files"][-1].update(bytes=1)),
    "an entry that was removed": manifest_with(lambda told: told["files"].pop()),
    "no entries": manifest_with(lambda told: told["files"].clear()),
    "an entry twice": manifest_with(lambda told: told["files"].append(told["files"][-1])),
    "one file more": lambda backup: (backup / "outbox" / "b.eml").write_bytes(b"x"),
    "one file more, beside the database": lambda backup: (backup / "exports.db-wal").write_bytes(b"x"),
    "one file less": lambda backup: (backup / "secrets" / "jwt").unlink(),
    "no database": lambda backup: (backup / "exports.db").unlink(),
    "a file that was cut": lambda backup: os.truncate(backup / "exports.db", 4096),
    "other bytes": other_bytes,
    "a link instead of a file": link_instead_of("secrets/jwt"),
    "a link instead of a folder": link_instead_of("files"),
    "a pipe": lambda backup: os.mkfifo(backup / "outbox" / "pipe"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_what_is_no_whole_backup_is_refused_and_nothing_is_left(
    tmp_path: Path, backup: Path, damage: Callable[[Path], object]
) -> None:
    damage(backup)

    with pytest.raises(StorageUnavailable, match="is not a whole backup"):
        restore(backup, tmp_path / "data", NOW)

    assert not (tmp_path / "data").exists() or names(tmp_path / "data") == []


@pytest.mark.parametrize(
    "path",
    [
        "../old/secrets/jwt",
        "files/../../old/secrets/jwt",
        "/etc/hostname",
        "processes/1.lock",
        "exports.db-wal",
        "exports.db/x",
        "files",
        "",
        "outbox/a\nb.eml",
    ],
)
def test_a_manifest_that_leads_elsewhere_is_refused_for_that(tmp_path: Path, backup: Path, path: str) -> None:
    with_path(path)(backup)

    with pytest.raises(StorageUnavailable, match="no place for a file of a backup"):
        restore(backup, tmp_path / "data", NOW)

    assert not (tmp_path / "data").exists()


def test_a_backup_of_a_newer_version_is_left_to_that_version(tmp_path: Path, backup: Path) -> None:
    manifest_with(lambda told: told.update(schema=SCHEMA_VERSION + 1))(backup)

    with pytest.raises(StorageUnavailable, match=r"made by version 1\.2\.3"):
        restore(backup, tmp_path / "data", NOW)


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"x")

    with pytest.raises(StorageUnavailable):
        restore(tmp_path / name, tmp_path / "data", NOW)


# --- Where it may not go ----------------------------------------------------------------------------------------------


def test_a_folder_that_holds_anything_is_refused_with_what_to_type(tmp_path: Path, backup: Path) -> None:
    data = tmp_path / "data"
    a_data_folder(data)
    before = content(data)

    with pytest.raises(StorageUnavailable, match=f"not empty.*mv {data} {data}.before"):
        restore(backup, data, NOW)

    assert content(data) == before


def test_a_folder_that_a_process_works_on_is_refused(tmp_path: Path, backup: Path) -> None:
    data = tmp_path / "data"
    database = Database(data / "exports.db")
    machine = EmbeddedMachine(data / "processes", database)
    machine.me()

    with pytest.raises(StorageUnavailable, match="a process of the service runs on it"):
        restore(backup, data, NOW)

    database.close()


def test_two_restores_at_once_one_wins_and_the_other_is_told(tmp_path: Path, backup: Path) -> None:
    data, told = tmp_path / "data", list[str]()

    def another(_done: int, _all: int) -> None:
        with pytest.raises(StorageUnavailable) as refused:
            restore(backup, data, NOW)
        told.append(refused.value.reason)

    restore(backup, data, NOW, another)

    assert all("another restore is under way there" in text for text in told)
    assert told
    assert content(data) == content(tmp_path / "old")


def test_a_target_that_is_being_restored_is_nobody_elses(tmp_path: Path, backup: Path) -> None:
    growing = tmp_path / "data" / "restoring"
    growing.mkdir(parents=True)
    other = os.open(growing, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)

    with pytest.raises(StorageUnavailable, match="another restore is under way"):
        restore(backup, tmp_path / "data", NOW)

    os.close(other)
    assert names(growing) == []


# --- Cut short --------------------------------------------------------------------------------------------------------


def test_interrupted_it_leaves_the_folder_as_it_was(tmp_path: Path, backup: Path) -> None:
    def interrupt(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(backup, tmp_path / "data", NOW, interrupt)

    assert names(tmp_path / "data") == []


def test_killed_by_the_system_in_the_middle_it_is_not_taken_for_whole_and_the_next_one_works(
    tmp_path: Path, backup: Path
) -> None:
    assert killed_in("restoring", f"restore(Path({str(backup)!r}), Path({str(tmp_path / 'data')!r}), AT, die)")

    with pytest.raises(StorageUnavailable, match="cut short"):
        refuse_half_restored(tmp_path / "data")
    assert names(tmp_path / "data") == ["restoring"]
    restore(backup, tmp_path / "data", NOW)

    assert content(tmp_path / "data") == content(tmp_path / "old")


def test_what_a_service_writes_meanwhile_is_not_written_over(tmp_path: Path, backup: Path) -> None:
    data = tmp_path / "data"

    def still_running(_done: int, _all: int) -> None:
        (data / "exports.db").write_bytes(b"of the service that was not stopped")

    with pytest.raises(StorageUnavailable, match=r"not empty \(it holds exports.db\)"):
        restore(backup, data, NOW, still_running)

    assert names(data) == ["exports.db"]
    assert (data / "exports.db").read_bytes() == b"of the service that was not stopped"


def test_killed_while_it_copied_the_next_one_begins_anew(tmp_path: Path, backup: Path) -> None:
    growing = tmp_path / "data" / "restoring"
    (growing / "files").mkdir(parents=True)
    (growing / "files" / "half").write_bytes(b"x")

    with pytest.raises(StorageUnavailable, match="cut short"):
        refuse_half_restored(tmp_path / "data")
    restore(backup, tmp_path / "data", NOW)

    refuse_half_restored(tmp_path / "data")
    assert content(tmp_path / "data") == content(tmp_path / "old")


def test_killed_while_it_moved_up_it_is_never_taken_for_whole(
    tmp_path: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, rename = tmp_path / "data", Path.rename

    def killed(path: Path, target: Path) -> Path:
        if path.name == "exports.db":
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            restore(backup, data, NOW)

    with pytest.raises(StorageUnavailable, match="cut short"):
        refuse_half_restored(data)
    with pytest.raises(StorageUnavailable, match=r"cut short there.*delete what is in it"):
        restore(backup, data, NOW)
    shutil.rmtree(data)
    restore(backup, data, NOW)
    assert content(data) == content(tmp_path / "old")


@pytest.mark.parametrize("size", [0, 4096])
def test_on_a_disk_that_gets_full_nothing_is_left_and_the_text_names_the_fix(
    tmp_path: Path, backup: Path, size: int
) -> None:
    with files_end_at(size), pytest.raises(StorageUnavailable, match="To fix it"):
        restore(backup, tmp_path / "data", NOW)

    assert names(tmp_path / "data") == []


def test_a_backup_of_an_older_version_is_taken_over(tmp_path: Path) -> None:
    a_data_folder(tmp_path / "old")
    (tmp_path / "old/exports.db").unlink()
    with closing(sqlite3.connect(tmp_path / "old/exports.db")) as first:
        first.executescript(resources.files(embedded).joinpath("schema.sql").read_text(encoding="utf-8"))
    make_backup(a_backup_of(tmp_path / "old", tmp_path / "backup"))

    restore(tmp_path / "backup", tmp_path / "data", NOW)

    with closing(sqlite3.connect(tmp_path / "data/exports.db")) as restored:
        assert restored.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
