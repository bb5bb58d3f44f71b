"""A backup has all that a service needs to go on, is for its owner only, and has its name only when it is whole."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from memberships_export.adapters.embedded.backup import making
from memberships_export.adapters.embedded.backup.making import make_backup
from memberships_export.adapters.embedded.database import SCHEMA_VERSION, Database
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.errors import StorageUnavailable
from tests.factories import an_export
from tests.fakes.broken_disk import files_end_at
from tests.unit.adapters.backup.a_folder import (
    AT,
    a_backup_of,
    a_data_folder,
    content,
    exports_in,
    killed_in,
)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_holds_all_that_a_service_needs_to_go_on(tmp_path: Path) -> None:
    export = a_data_folder(tmp_path / "data")

    make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"))

    assert content(tmp_path / "backup") == content(tmp_path / "data")
    assert exports_in(tmp_path / "backup" / "exports.db") == [export.export_id]
    assert kept(tmp_path / "backup") == [
        "exports.db",
        "files",
        "manifest.json",
        "memberships.db",
        "outbox",
        "secrets",
    ]
    assert kept(tmp_path) == ["backup", "data"]


def test_its_manifest_tells_of_each_file_and_of_the_whole(tmp_path: Path) -> None:
    a_data_folder(tmp_path / "data")

    make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"))

    told = json.loads((tmp_path / "backup" / "manifest.json").read_bytes())
    assert (told["program"], told["schema"], told["exports"]) == ("1.2.3", SCHEMA_VERSION, 1)
    assert told["made_at"] == AT.isoformat().replace("+00:00", "Z")
    for entry in told["files"]:
        stored = (tmp_path / "backup" / entry["path"]).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(stored), sha256(stored).hexdigest())


@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o777])
def test_whatever_the_umask_it_is_for_its_owner_only_from_the_first_byte_on(tmp_path: Path, mask: int) -> None:
    a_data_folder(tmp_path / "data")
    seen = dict[str, int]()

    def look(_done: int, _all: int) -> None:
        paths = [path for name in ("backup", "backup.partial") for path in (tmp_path / name).rglob("*")]
        seen.update({f"{path.is_dir()} {path.name}": path.stat().st_mode & 0o777 for path in paths})

    with umask(mask):
        make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"), look)
    look(0, 0)

    assert {mode for name, mode in seen.items() if name.startswith("False")} == {0o600}
    assert {mode for name, mode in seen.items() if name.startswith("True")} == {0o700}
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700


def test_what_is_written_meanwhile_does_not_make_it_another_moment(tmp_path: Path) -> None:
    data = tmp_path / "data"
    export = a_data_folder(data)
    database = Database(data / "exports.db")
    store = SqliteExportStore(database, lambda: AT)
    written = list[str]()

    def another_request(_done: int, _all: int) -> None:
        another = store.create(an_export(user_id=f"user-{len(written) + 2}"))
        written.append(another.export_id)

    make_backup(a_backup_of(data, tmp_path / "backup"), another_request)

    database.close()
    assert written, "the service wrote while the backup was made"
    assert exports_in(tmp_path / "backup" / "exports.db") == [export.export_id]


def test_what_expired_meanwhile_is_not_missed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    export = a_data_folder(data)

    def expire(_done: int, _all: int) -> None:
        shutil.rmtree(data / "files" / "csv" / export.export_id, ignore_errors=True)

    manifest = make_backup(a_backup_of(data, tmp_path / "backup"), expire)

    assert not [entry.path for entry in manifest.files if entry.path.startswith("files/csv")]
    assert not (tmp_path / "backup" / "files" / "csv").exists()


def test_files_that_no_record_names_are_left_out_and_so_is_what_is_half_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    export = a_data_folder(data)
    (data / "files" / "csv" / "of-nobody").mkdir()
    (data / "files" / "csv" / "of-nobody" / "1.csv").write_bytes(b"x")
    (data / "files" / "csv" / export.export_id / ".2.csv.0.tmp").write_bytes(b"x")
    (data / "outbox" / "link.eml").symlink_to("/etc/hostname")
    (data / "outbox" / "two\nlines.eml").write_bytes(b"x")

    manifest = make_backup(a_backup_of(data, tmp_path / "backup"))

    paths = {entry.path for entry in manifest.files}
    assert {path for path in paths if path.startswith("files/csv")} == {f"files/csv/{export.export_id}/1-abc.csv"}
    assert {path for path in paths if path.startswith("outbox")} == {"outbox/a.eml"}


def test_what_was_deleted_from_the_database_is_not_in_the_bytes_of_the_copy(tmp_path: Path) -> None:
    data = tmp_path / "data"
    export = a_data_folder(data, email="erased@example.org")
    database = Database(data / "exports.db")
    SqliteExportStore(database, lambda: AT).delete(export)
    database.close()

    make_backup(a_backup_of(data, tmp_path / "backup"))

    assert b"erased@example.org" not in (tmp_path / "backup" / "exports.db").read_bytes()


def test_a_second_backup_into_one_folder_is_refused(tmp_path: Path) -> None:
    a_data_folder(tmp_path / "data")
    make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"))
    before = content(tmp_path / "backup")

    with pytest.raises(StorageUnavailable, match=r"not empty.*name a new folder"):
        make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"))

    assert content(tmp_path / "backup") == before


@pytest.mark.parametrize("inside", [".", "backup", "files/backup"])
def test_a_folder_inside_the_data_folder_is_refused(tmp_path: Path, inside: str) -> None:
    data = tmp_path / "data"
    a_data_folder(data)

    with pytest.raises(StorageUnavailable, match="inside the data folder"):
        make_backup(a_backup_of(data, data / inside))


def test_an_empty_folder_that_was_prepared_is_closed_and_used(tmp_path: Path) -> None:
    a_data_folder(tmp_path / "data")
    (tmp_path / "backup").mkdir(mode=0o755)

    make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"))

    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700


def test_a_backup_that_was_cut_short_has_no_name_and_gives_way_to_the_next(tmp_path: Path) -> None:
    a_data_folder(tmp_path / "data")
    left = tmp_path / "backup.partial"
    (left / "files" / "csv" / "of-an-erased-user").mkdir(parents=True)
    (left / "exports.db").write_bytes(b"half")
    (left / "exports.db-wal").write_bytes(b"half")

    make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"))

    assert content(tmp_path / "backup") == content(tmp_path / "data")
    assert not (tmp_path / "backup" / "files" / "csv" / "of-an-erased-user").exists()
    assert not left.exists()


def test_killed_by_the_system_in_the_middle_it_has_no_name(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    a_data_folder(data)

    assert killed_in(
        "making",
        f"make_backup(Backup(data=Path({str(data)!r}), folder=Path({str(backup)!r}), program='1', at=AT), die)",
    )

    assert kept(tmp_path) == ["backup.partial", "data"]
    make_backup(a_backup_of(data, backup))
    assert kept(tmp_path) == ["backup", "data"]


def test_somebody_elses_folder_of_that_name_is_not_cleared(tmp_path: Path) -> None:
    a_data_folder(tmp_path / "data")
    (tmp_path / "backup.partial").mkdir()
    (tmp_path / "backup.partial" / "thesis.txt").write_text("x")

    with pytest.raises(StorageUnavailable, match=r"not ours \(thesis.txt\)"):
        make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"))

    assert kept(tmp_path / "backup.partial") == ["thesis.txt"]


def test_two_at_once_into_one_folder_one_is_told(tmp_path: Path) -> None:
    a_data_folder(tmp_path / "data")
    (tmp_path / "backup.partial").mkdir()
    other = os.open(tmp_path / "backup.partial", os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)

    with pytest.raises(StorageUnavailable, match="another backup is being made there"):
        make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"))

    os.close(other)


def test_interrupted_it_leaves_nothing(tmp_path: Path) -> None:
    a_data_folder(tmp_path / "data")

    def interrupt(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"), interrupt)

    assert kept(tmp_path) == ["data"]


@pytest.mark.parametrize("size", [0, 4096, 100_000])
def test_on_a_disk_that_gets_full_nothing_is_left_and_the_text_names_the_fix(tmp_path: Path, size: int) -> None:
    data = tmp_path / "data"
    export = a_data_folder(data)
    (data / "files" / "csv" / export.export_id / "2-big.csv").write_bytes(bytes(200_000))

    with files_end_at(size), pytest.raises(StorageUnavailable, match="To fix it"):
        make_backup(a_backup_of(data, tmp_path / "backup"))

    assert kept(tmp_path) == ["data"]


def test_room_is_checked_before_anything_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_data_folder(tmp_path / "data")
    monkeypatch.setattr(making.shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(1, 1, 1000))  # type: ignore[attr-defined]  # noqa: SLF001

    with pytest.raises(StorageUnavailable, match="1,000 free: nothing was copied"):
        make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"))

    assert kept(tmp_path) == ["data"]


def test_a_database_of_a_newer_version_is_left_to_that_version(tmp_path: Path) -> None:
    a_data_folder(tmp_path / "data")
    database = Database(tmp_path / "data" / "exports.db")
    database.read(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    database.close()

    with pytest.raises(StorageUnavailable, match="newer version"):
        make_backup(a_backup_of(tmp_path / "data", tmp_path / "backup"))

    assert kept(tmp_path) == ["data"]


def test_progress_ends_with_all_bytes(tmp_path: Path) -> None:
    a_data_folder(tmp_path / "data")
    told = list[tuple[int, int]]()

    manifest = make_backup(
        a_backup_of(tmp_path / "data", tmp_path / "backup"), lambda done, size: told.append((done, size))
    )

    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == manifest.bytes
    assert all(done <= size for done, size in told)
