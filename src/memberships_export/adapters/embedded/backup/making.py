"""Makes a backup of the data folder while the service runs.

The databases first, then the files that the copied records name: a file is stored before its record names it. A backup
has its name only when it is whole and on the disk.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from memberships_export.adapters.embedded.backup.copying import Told, copy, measure, write
from memberships_export.adapters.embedded.backup.manifest import DATABASE, FORM, NAME, Entry, Manifest, is_ours
from memberships_export.adapters.embedded.backup.snapshot import reading, schema_of, size_of, snapshot
from memberships_export.adapters.embedded.database import SCHEMA_VERSION
from memberships_export.adapters.embedded.disk import is_still, make_folder, storage_errors, sync_folder
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.service.file_keys import file_folder, parts_folder

_PARTIAL = ".partial"  # ending of the name of a backup that is not whole
_DATABASES = (DATABASE, "memberships.db")
_SPARE = 16 * 1024 * 1024  # bytes that stay free on the disk
_NOBODY_ELSE = fcntl.LOCK_EX | fcntl.LOCK_NB


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup to be made: of which data folder, into which folder, by which version of the program, and when."""

    data: Path
    folder: Path
    program: str
    at: datetime


def make_backup(backup: Backup, told: Callable[[int, int], None] = lambda _done, _all: None) -> Manifest:
    """Make it, and return what it holds. `told` hears the bytes that are done, and about how many there are.

    Raises StorageUnavailable; nothing that could be taken for a backup is left then.
    """
    _check_place(backup)
    expected = _bytes_of(backup.data)
    _check_room(backup, expected)
    done = 0

    def also(size: int) -> None:
        nonlocal done
        done += size
        told(done, max(done, expected))

    with _aside(backup.folder) as aside:
        manifest = _filled(backup, aside, also)
        write(aside / NAME, msgspec.json.format(msgspec.json.encode(manifest)))
        _sync(aside)
        _name(aside, backup.folder)
    return manifest


def _check_place(backup: Backup) -> None:
    folder, data = backup.folder.resolve(), backup.data.resolve()
    if folder == data or data in folder.parents:
        raise _refused(backup.folder, "it is inside the data folder", "choose one on another disk")
    with storage_errors(folder), suppress(FileNotFoundError):
        if any(folder.iterdir()):
            raise _refused(
                backup.folder,
                "it is not empty, and files of users who were erased since would stay in it",
                "name a new folder for each backup, such as one with the date",
            )


def _check_room(backup: Backup, expected: int) -> None:
    parent = next(path for path in backup.folder.absolute().parents if path.exists())
    with storage_errors(parent):
        free = shutil.disk_usage(parent).free
    if free < expected + _SPARE:
        raise StorageUnavailable(
            f"The backup takes about {expected:,} bytes, and the disk of {parent} has {free:,} free: nothing was "
            "copied. To fix it, free some space, or choose a folder on another disk."
        )


def _bytes_of(data: Path) -> int:
    size = sum(size_of(data / name) for name in _DATABASES)
    for top in ("files", "outbox", "secrets"):
        for parent, _, names in os.walk(data / top):
            for name in names:
                with suppress(FileNotFoundError):
                    size += Path(parent, name).lstat().st_size
    return size


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Make the folder in which the backup grows. It is nobody else's meanwhile, and gone when anything fails."""
    aside = folder.absolute().with_name(f"{folder.absolute().name}{_PARTIAL}")
    with storage_errors(aside):
        make_folder(aside)
        descriptor = os.open(aside, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _take(aside, descriptor)
        try:
            yield aside
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    finally:
        os.close(descriptor)


def _take(aside: Path, descriptor: int) -> None:
    """Lock it, and clear away what a backup that was cut short has left there."""
    try:
        fcntl.flock(descriptor, _NOBODY_ELSE)
    except OSError as error:
        raise _refused(aside, "another backup is being made there", "wait for that one") from error
    if not is_still(aside, descriptor):
        raise _refused(aside, "another backup has just been made there", "name a new folder")
    ours = {*_DATABASES, *(f"{name}-journal" for name in _DATABASES), "files", "outbox", "secrets", NAME}
    with storage_errors(aside):
        for left in list(aside.iterdir()):
            if left.name.removesuffix("-wal").removesuffix("-shm") not in ours or left.is_symlink():
                raise _refused(aside, f"it holds what is not ours ({left.name})", "move it away")
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        aside.chmod(0o700)


def _filled(backup: Backup, aside: Path, told: Told) -> Manifest:
    databases = [name for name in _DATABASES if (backup.data / name).exists()]
    for name in databases:
        snapshot(backup.data / name, aside / name)
    schema, exports = _records(aside / DATABASE)
    files = [measure(aside, name, told) for name in databases]
    ours = filter(is_ours, _files(backup.data, exports))
    files += [entry for path in ours if (entry := _copied(backup.data, aside, path, told))]
    return Manifest(
        form=FORM,
        made_at=backup.at,
        program=backup.program,
        schema=schema,
        exports=len(exports),
        files=tuple(files),
    )


def _records(database: Path) -> tuple[int, list[str]]:
    """Return the schema of the copied database, and the ids of its exports."""
    with reading(database, copied=True) as connection:
        schema = schema_of(connection)
        if schema > SCHEMA_VERSION:
            raise StorageUnavailable(
                f"{database.name} has schema {schema} and this program knows up to {SCHEMA_VERSION}: it was written by "
                "a newer version. To fix it, make the backup with that version."
            )
        return schema, [row[0] for row in connection.execute("SELECT export_id FROM exports ORDER BY export_id")]


def _files(data: Path, exports: list[str]) -> Iterator[str]:
    """Name what belongs to the exports, the mails of the outbox, and the secrets. Half-written files are nobody's."""
    yield from (f"secrets/{name}" for name in _names(data / "secrets"))
    ours = set(exports)
    for kind in map(_kind_of, (parts_folder, file_folder)):
        for export_id in ours.intersection(_names(data / "files" / kind, Path.is_dir)):
            folder = f"files/{kind}/{export_id}"
            yield from (f"{folder}/{name}" for name in _names(data / folder))
    yield from (f"outbox/{name}" for name in _names(data / "outbox"))


def _kind_of(folder_of: Callable[[str], str]) -> str:
    """Return the folder in which the folders of all exports are, each by its id."""
    return folder_of("id").removesuffix("/id")


def _names(folder: Path, wanted: Callable[[Path], bool] = Path.is_file) -> list[str]:
    with storage_errors(folder):
        try:
            found = [path for path in folder.iterdir() if not path.name.startswith(".")]
            return sorted(path.name for path in found if wanted(path) and not path.is_symlink())
        except FileNotFoundError:
            return []


def _copied(data: Path, aside: Path, path: str, told: Told) -> Entry | None:
    """Copy a file; None for one that was deleted meanwhile, because its time was over or its user was erased."""
    try:
        with _of_the_source(data / path):
            return copy(data / path, aside, path, told)
    except FileNotFoundError:
        return None


@contextmanager
def _of_the_source(path: Path) -> Iterator[None]:
    """Say what is wrong with a file that is there and cannot be read."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        with storage_errors(path):
            raise error from None


def _sync(folder: Path) -> None:
    with storage_errors(folder):
        for parent, _, _ in os.walk(folder, topdown=False):
            sync_folder(Path(parent))


def _name(aside: Path, folder: Path) -> None:
    with storage_errors(folder):
        try:
            aside.rename(folder)  # an empty folder of that name gives way, as rename(2) has it
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY}:
                raise _refused(folder, "something else is there by now", "name a new folder") from error
            raise
        sync_folder(folder.absolute().parent)


def _refused(folder: Path, why: str, fix: str) -> StorageUnavailable:
    return StorageUnavailable(f"No backup can be made in {folder.absolute()}: {why}. To fix it, {fix}.")
