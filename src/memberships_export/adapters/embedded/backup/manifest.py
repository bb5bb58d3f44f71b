"""What a backup says of itself: each file with its size and SHA-256. A folder without it is no backup."""

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath

import msgspec

from memberships_export.domain.errors import StorageUnavailable

NAME = "manifest.json"
DATABASE = "exports.db"
FORM = 1
_TOP = frozenset({DATABASE, "memberships.db", "files", "outbox", "secrets"})
_LONGEST = 256 * 1024 * 1024  # bytes; about a million files


class Entry(msgspec.Struct, frozen=True):
    """One file: its path within the backup, its size, and its SHA-256 in hexadecimal digits."""

    path: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`form`: of this file. `schema`: of exports.db. `program`: the version that made the backup."""

    form: int
    made_at: datetime
    program: str
    schema: int
    exports: int
    files: tuple[Entry, ...]

    @property
    def bytes(self) -> int:
        """What all files take, in bytes."""
        return sum(entry.bytes for entry in self.files)


def read_manifest(backup: Path) -> Manifest:
    """Read what the backup holds, and see that its folder holds that: nothing less, nothing more, nothing linked.

    The content of the files is not looked at. Raises StorageUnavailable with the first thing that is wrong.
    """
    manifest = _decoded(backup)
    listed = {entry.path: entry for entry in manifest.files}
    _check_paths(backup, manifest)
    found = dict(_content(backup))
    if missing := sorted(listed.keys() - found.keys()):
        raise broken(backup, f"{missing[0]} is missing")
    if extra := sorted(found.keys() - listed.keys()):
        raise broken(backup, f"{extra[0]!r} does not belong to it")
    for path, size in found.items():
        if size != listed[path].bytes:
            raise broken(backup, f"{path} has {size} bytes and had {listed[path].bytes}")
    return manifest


def broken(backup: Path, why: str) -> StorageUnavailable:
    """Say that this is not the backup that was made."""
    return StorageUnavailable(
        f"{backup.absolute()} is not a whole backup: {why}. Nothing was restored. To fix it, take another backup, or "
        "copy this one anew from where it was made."
    )


def _decoded(backup: Path) -> Manifest:
    path = backup / NAME
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LONGEST:
            raise broken(backup, f"its {NAME} is no plain file of a backup")
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise broken(backup, f"its {NAME} cannot be read ({error.strerror})") from error
    except msgspec.DecodeError as error:
        raise broken(backup, f"its {NAME} cannot be understood") from error
    if manifest.form != FORM:
        raise broken(backup, f"its {NAME} is of form {manifest.form}, and this program knows form {FORM}")
    return manifest


def _check_paths(backup: Path, manifest: Manifest) -> None:
    paths = [entry.path for entry in manifest.files]
    if len(set(paths)) != len(paths):
        raise broken(backup, f"its {NAME} names a file twice")
    if wrong := [path for path in paths if not is_ours(path)]:
        raise broken(backup, f"its {NAME} names {wrong[0]!r}, which is no place for a file of a backup")
    if DATABASE not in paths:
        raise broken(backup, f"its {NAME} names no {DATABASE}")


def is_ours(path: str) -> bool:
    """Tell whether it leads to one of our places and stays there."""
    parts = path.split("/")
    plain = path.isprintable() and not {"", ".", ".."} & set(parts) and not PurePosixPath(path).is_absolute()
    return plain and parts[0] in _TOP and (len(parts) > 1) == ("." not in parts[0])


def _content(folder: Path, inside: str = "") -> Iterator[tuple[str, int]]:
    """Walk through all files, with their sizes; the manifest is not among them."""
    with os.scandir(folder / inside) as entries:
        for entry in entries:
            path = f"{inside}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _content(folder, f"{path}/")
            elif not entry.is_file(follow_symlinks=False):
                raise broken(folder, f"{path!r} is a link or another thing that is no file")
            elif path != NAME:
                yield path, entry.stat(follow_symlinks=False).st_size
