"""What the service keeps is for its own user only: new files, old files, and a folder that somebody else prepared."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memberships_api.repository import MembershipsUnavailable
from memberships_api.sqlite_repository import SqliteMembershipRepository
from memberships_export.adapters.embedded import private
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.embedded.machine import EmbeddedMachine
from memberships_export.adapters.embedded.private import keep_private
from memberships_export.adapters.embedded.secrets_file import kept_secret
from memberships_export.adapters.mail.outbox import Outbox
from memberships_export.domain.errors import StorageUnavailable
from tests.contract.mailers import NOW, SENDER, a_mail


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes(root: Path) -> dict[str, str]:
    """Return the rights of everything below the root, by path."""
    return {str(path.relative_to(root)): oct(path.stat().st_mode & 0o777) for path in root.rglob("*")}


def make_all(data: Path) -> None:
    """Store something with each adapter; none of them needs another one to have made the folder."""
    Database(data / "a" / "exports.db").read("SELECT 1")
    SqliteMembershipRepository(data / "memberships.db").close()
    Folder(data / "b" / "files").put_once("parts/1/a.json", b"x")
    with Folder(data / "c" / "files").writing("csv/1/1.csv") as sink:
        sink.write(b"x")
    kept_secret(data / "d" / "secrets" / "jwt")
    EmbeddedMachine(data / "f" / "processes", Database(data / "f" / "exports.db")).me()
    Outbox(data / "e" / "outbox", sender=SENDER, clock=lambda: NOW).send(a_mail())


@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o477, 0o777])
def test_whatever_the_umask_new_files_and_folders_are_for_their_owner_only(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        make_all(tmp_path)

    found = modes(tmp_path)
    assert {rights for path, rights in found.items() if (tmp_path / path).is_file()} == {"0o600"}
    assert {rights for path, rights in found.items() if (tmp_path / path).is_dir()} == {"0o700"}
    assert sum((tmp_path / path).is_file() for path in found) >= 6


@pytest.mark.parametrize(
    "make",
    [lambda path: Database(path).read("SELECT 1"), lambda path: SqliteMembershipRepository(path).close()],
    ids=["exports", "memberships"],
)
@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_database_has_its_rights_before_anything_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], *, through_a_link: bool
) -> None:
    path, seen, connect = tmp_path / "a.db", list[str](), sqlite3.connect
    if through_a_link:
        path.symlink_to(tmp_path / "elsewhere.db")

    def connecting(database: Path, **options: object) -> sqlite3.Connection:
        seen.append(oct(path.stat().st_mode & 0o777))
        return connect(database, **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(sqlite3, "connect", connecting)
    with umask(0):
        make(path)

    assert set(seen) == {"0o600"}
    assert len([path for path in tmp_path.iterdir() if len(path.name) > 20]) == 0, "what was made aside is gone"


def test_a_folder_that_somebody_prepared_is_closed_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)

    keep_private(data)

    assert data.stat().st_mode & 0o777 == 0o700
    (line,) = caplog.messages
    assert line.startswith(f"folder={data} count=1 event=closed_to_others")


def test_what_an_older_version_or_a_restored_backup_left_open_is_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_all(data)
    for name in ("exports.db", "exports.db-wal", "exports.db-shm", "memberships.db", "exports.db.before-the-update"):
        (data / name).write_bytes(b"")
    Folder(data / "files").put_once("parts/1/a.json", b"x")
    (data / "secrets").mkdir()
    (data / "secrets" / "jwt").write_text("s" * 32)
    for name in "abcdef":
        (data / name).rename(tmp_path / name)
    for path in (data, *data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)

    keep_private(data)

    assert {rights for name, rights in modes(data).items() if (data / name).is_file()} == {"0o600"}
    assert {rights for name, rights in modes(data).items() if (data / name).is_dir()} == {"0o700"}


def test_what_is_closed_already_is_left_alone_and_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep_private(tmp_path / "data")
    make_all(tmp_path / "data")
    keep_private(tmp_path / "data")

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_closed_folder_may_hold_other_things_and_they_are_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "notes.txt").chmod(0o644)

    keep_private(tmp_path)

    assert (tmp_path / "notes.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("rights", [0o755, 0o750, 0o711, 0o777, 0o1777])
def test_an_open_folder_with_other_things_in_it_is_refused_and_stays_as_it_is(tmp_path: Path, rights: int) -> None:
    tmp_path.chmod(rights)
    (tmp_path / "index.html").touch()

    with pytest.raises(
        StorageUnavailable, match=rf"it holds other things than ours \(index.html\).*chmod 700 {tmp_path}"
    ):
        keep_private(tmp_path)

    assert tmp_path.stat().st_mode & 0o7777 == rights


def test_a_folder_that_is_shared_by_design_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)

    with pytest.raises(StorageUnavailable, match="is meant to be shared"):
        keep_private(tmp_path)

    assert tmp_path.stat().st_mode & 0o7777 == 0o1777


def test_the_root_folder_of_a_disk_can_be_used(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "lost+found").mkdir(mode=0o755)

    keep_private(tmp_path)

    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "lost+found").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["", "secrets/jwt", "exports.db", "files"])
def test_what_belongs_to_another_user_is_refused_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    for other in ("secrets", "files"):
        (tmp_path / other).mkdir()
    for other in ("secrets/jwt", "exports.db"):
        (tmp_path / other).touch()
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, 12345, -1)
        path.chmod(0o755)
    os.chown(tmp_path / name, 54321, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)

    with pytest.raises(StorageUnavailable) as refused:
        keep_private(tmp_path)

    assert f"{tmp_path / name} cannot be used: it belongs to user 54321, and the service runs as user 12345" in str(
        refused.value
    )


def test_root_closes_the_folder_of_another_user(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    os.chown(tmp_path, 12345, -1)
    tmp_path.chmod(0o755)

    keep_private(tmp_path)

    assert (tmp_path.stat().st_uid, tmp_path.stat().st_mode & 0o777) == (12345, 0o700)


def test_a_data_folder_behind_a_link_is_closed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk").chmod(0o755)
    (tmp_path / "data").symlink_to(tmp_path / "disk")

    keep_private(tmp_path / "data")

    assert (tmp_path / "disk").stat().st_mode & 0o777 == 0o700


def test_a_link_in_the_folder_is_not_followed_and_must_lead_to_what_is_closed(tmp_path: Path) -> None:
    data, disk = tmp_path / "data", tmp_path / "disk"
    for folder in (data, disk):
        folder.mkdir(mode=0o700)
    (disk / "page.html").touch()
    (data / "files").symlink_to(disk)
    (data / "memberships.db").symlink_to(tmp_path / "not yet there")

    keep_private(data)

    disk.chmod(0o755)
    with pytest.raises(StorageUnavailable, match="files cannot be used: it is a link to what others can read"):
        keep_private(data)
    assert disk.stat().st_mode & 0o777 == 0o755


def test_a_file_system_without_permissions_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setattr(Path, "chmod", lambda _path, _mode: None)  # as a mounted FAT disk does

    with pytest.raises(StorageUnavailable, match="its file system keeps no permissions"):
        keep_private(tmp_path)


def test_what_another_process_deletes_meanwhile_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "content_of", lambda _folder: iter([tmp_path / "files" / "gone"]))

    keep_private(tmp_path)


def test_a_database_of_memberships_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(MembershipsUnavailable, match=r"memberships.db cannot be made \(Not a directory\): check that"):
        SqliteMembershipRepository(tmp_path / "file" / "memberships.db")
