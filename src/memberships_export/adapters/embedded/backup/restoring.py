"""Puts a backup in place of a data folder that is empty or not there.

Everything grows in a folder within, then moves up, exports.db at the end. As long as that folder is there the service
refuses to start: what was cut short is never taken for whole.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from memberships_export.adapters.embedded.backup.copying import Told, copy, write
from memberships_export.adapters.embedded.backup.half_restored import GROWING
from memberships_export.adapters.embedded.backup.manifest import DATABASE, Manifest, broken, read_manifest
from memberships_export.adapters.embedded.backup.snapshot import reading, schema_of
from memberships_export.adapters.embedded.database import SCHEMA_VERSION, Database
from memberships_export.adapters.embedded.disk import is_still, make_folder, storage_errors, sync_folder
from memberships_export.adapters.embedded.machine import living
from memberships_export.adapters.embedded.private import OF_THE_DISK, keep_private
from memberships_export.adapters.embedded.sqlite_audit import SqliteAuditLog
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.domain.audit import SYSTEM, Action, Origin
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.service.auditing import Audit
from memberships_export.service.operator.after_restore import MarkMaybeMailed

_MOVING = "moving"  # in the folder within: from here on a restore that is cut short has put something in place


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did. `maybe_mailed`: exports that may have been mailed since the backup; `letters`: dead ones."""

    manifest: Manifest
    maybe_mailed: int
    letters: int


def restore(
    backup: Path,
    data: Path,
    now: datetime,
    told: Callable[[int, int], None] = lambda _done, _all: None,
    *,
    origin: Origin = SYSTEM,
) -> Restored:
    """Restore, or change nothing. `told` hears the bytes that are done, and how many there are. `origin`: who asks.

    Raises StorageUnavailable: the backup is not whole, the data folder is in use or not empty, the disk is full.
    """
    manifest = check_backup(backup)
    check_target(data)
    done = 0

    def also(size: int) -> None:
        nonlocal done
        done += size
        told(done, manifest.bytes)

    with _growing(data) as growing:
        _check_room(data, manifest)
        _copy_all(backup, growing, manifest, also)
        marked, letters = _prepare(growing / DATABASE, now, origin)
        _sync(growing)
        check_target(data)  # what has appeared meanwhile was written by a service that still runs
        _move_up(growing, data, manifest)
    return Restored(manifest=manifest, maybe_mailed=marked, letters=letters)


def check_backup(backup: Path) -> Manifest:
    """Read what the backup holds. Raises StorageUnavailable when it is not whole, or too new for this program."""
    with storage_errors(backup):
        manifest = read_manifest(backup)
    if manifest.schema > SCHEMA_VERSION:
        raise StorageUnavailable(
            f"{backup.absolute()} was made by version {manifest.program}, with schema {manifest.schema}, and this "
            f"program knows up to {SCHEMA_VERSION}. To fix it, restore it with that version or a newer one."
        )
    return manifest


def check_target(data: Path) -> None:
    """Refuse a folder in which anything would be lost, or that a process works on. Raises StorageUnavailable."""
    with storage_errors(data):
        try:
            left = sorted(path.name for path in data.iterdir() if path.name not in {GROWING, OF_THE_DISK})
        except FileNotFoundError:
            return
    if not left:
        return
    if living(data / "processes"):
        raise _refused(data, "a process of the service runs on it", f"stop the service, then move {data} away")
    if (data / GROWING / _MOVING).exists():
        raise _refused(data, "a restore was cut short there", "delete what is in it, and restore again")
    raise _refused(
        data,
        f"it is not empty (it holds {left[0]})",
        f"stop the service, and move it away: mv {data.absolute()} {data.absolute()}.before",
    )


@contextmanager
def _growing(data: Path) -> Iterator[Path]:
    """Make the folder within, for us alone; two restores at once: the second one is told."""
    growing = data / GROWING
    keep_private(data)
    with storage_errors(growing):
        make_folder(growing)
        descriptor = os.open(growing, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _take(growing, descriptor)
        check_target(data)  # once more: another restore may have ended between
        try:
            yield growing
        except BaseException:
            if not (growing / _MOVING).exists():  # else it stays, and says that all is not there
                shutil.rmtree(growing, ignore_errors=True)
            raise
    finally:
        os.close(descriptor)


def _take(growing: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise _refused(growing.parent, "another restore is under way there", "wait for that one") from error
    if not is_still(growing, descriptor):
        raise _refused(growing.parent, "another restore has just ended there", "look at what is there now")
    with storage_errors(growing):
        for left in list(growing.iterdir()):  # of a restore that was cut short
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()


def _check_room(data: Path, manifest: Manifest) -> None:
    with storage_errors(data):
        free = shutil.disk_usage(data).free
    if free < manifest.bytes:
        raise StorageUnavailable(
            f"The backup takes {manifest.bytes:,} bytes, and the disk of {data.absolute()} has {free:,} free: nothing "
            "was restored. To fix it, free some space."
        )


def _copy_all(backup: Path, growing: Path, manifest: Manifest, told: Told) -> None:
    for entry in manifest.files:
        with storage_errors(backup / entry.path):
            copied = copy(backup / entry.path, growing, entry.path, told)
        if copied != entry:
            raise broken(backup, f"{entry.path} is not what was copied (its SHA-256 is another)")


def _prepare(path: Path, now: datetime, origin: Origin) -> tuple[int, int]:
    """Make the records those of this program, and mark what may have been mailed; return how many, and letters.

    That they were restored is noted in them: so it is with them, or nothing is.
    """
    _check_whole(path)
    database = Database(path)
    Audit(log=SqliteAuditLog(database), clock=lambda: now, key=str).note(origin, Action.BACKUP_RESTORED)
    unfinished = [row["export_id"] for row in database.read("SELECT export_id FROM exports WHERE unfinished")]
    marked = MarkMaybeMailed(SqliteExportStore(database, lambda: now))(unfinished, now)
    letters = database.read("SELECT count(*) AS count FROM dead_letters")[0]["count"]
    database.read("PRAGMA wal_checkpoint(TRUNCATE)")  # only the database itself gets its place
    database.close()
    return marked, letters


def _check_whole(path: Path) -> None:
    with reading(path, copied=True) as connection:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        schema = schema_of(connection)
    if said != "ok" or not 0 < schema <= SCHEMA_VERSION:
        raise StorageUnavailable(
            f"The {DATABASE} of the backup is damaged (schema {schema}: {said}). Take another backup."
        )


def _sync(growing: Path) -> None:
    with storage_errors(growing):
        for parent, _, _ in os.walk(growing, topdown=False):
            sync_folder(Path(parent))


def _move_up(growing: Path, data: Path, manifest: Manifest) -> None:
    """Give everything its place, the records last, and only then take away the sign that all is not there yet."""
    tops = {entry.path.partition("/")[0] for entry in manifest.files}
    write(growing / _MOVING, b"")
    with storage_errors(data):
        for name in sorted(tops, key=lambda name: name == DATABASE):
            (growing / name).rename(data / name)
        sync_folder(data)
        shutil.rmtree(growing)
        sync_folder(data)


def _refused(data: Path, why: str, fix: str) -> StorageUnavailable:
    return StorageUnavailable(f"Nothing can be restored to {data.absolute()}: {why}. To fix it, {fix}.")
