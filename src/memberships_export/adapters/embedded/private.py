"""For the eyes of this user only: files are made so, and a data folder that others can read is closed.

What may be in it: addresses and rows of members, and the secrets that sign tokens and links.
"""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from uuid import uuid4

from memberships_export.adapters.embedded.disk import make_folder, storage_errors
from memberships_export.domain.errors import StorageUnavailable

log = logging.getLogger(__name__)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OWNERS_FILE = stat.S_IRUSR | stat.S_IWUSR
_FOLDERS = ("bells", "files", "metrics", "outbox", "processes", "restoring", "secrets")
_DATABASES = ("exports.db", "memberships.db")  # and the names that SQLite makes of them
OF_THE_DISK = "lost+found"  # in the root folder of a disk


def private(path: str, flags: int) -> int:
    """Open a file, as an `opener` of open(); a new one is for this user only."""
    descriptor = os.open(path, flags, _OWNERS_FILE)
    if flags & os.O_CREAT:
        os.fchmod(descriptor, _OWNERS_FILE)  # the umask may have taken away the owner's rights too
    return descriptor


def make_private_file(path: Path) -> None:
    """Make an empty file when there is none. It has its rights before it has its name.

    Never opens a file that is there: closing a SQLite database once more would drop the locks of its connections.
    """
    path = Path(os.path.realpath(path))  # a link may lead to a file that is still to be made
    if path.exists():
        return
    aside = path.with_name(f"{path.name}.{uuid4().hex}")
    with open(aside, "xb", opener=private):
        pass
    try:
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()


def keep_private(folder: Path) -> None:
    """Make the data folder, or close it and what is in it to others, and say so. Raises StorageUnavailable.

    It is refused when it is not this user's to close, or holds what is not ours: it may be /tmp, or somebody's home.
    """
    with storage_errors(folder):
        make_folder(folder)
        closed = sum(_close(path, folder) for path in chain([folder], content_of(folder)))
    if closed:
        log.warning(
            "folder=%s count=%d event=closed_to_others reason=Others on this machine could get at so many files and "
            "folders; now only the user of the service can.",
            folder.absolute(),
            closed,
        )


def content_of(folder: Path) -> Iterator[Path]:
    """Walk through what is ours, folders before what is in them. Links are not followed."""
    for name in filter(_is_ours, _names(folder)):
        yield folder / name
        for parent, folders, files in os.walk(folder / name):
            yield from (Path(parent, inner) for inner in (*folders, *files))


def _names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))  # noqa: PTH208  (names are what is compared)


def _is_ours(name: str) -> bool:
    return name in _FOLDERS or name.startswith(_DATABASES)


def _close(path: Path, data: Path) -> bool:
    """Take away the rights of others; tell whether they had any."""
    try:
        found = path.stat() if path == data else path.lstat()
        _check_owner(path, found)
        if stat.S_ISLNK(found.st_mode):
            _check_target(path)
            return False
        if not found.st_mode & _OTHERS:
            return False
        if path == data:
            _check_content(data, found)
        path.chmod(stat.S_IMODE(found.st_mode) & (~_OTHERS if stat.S_ISDIR(found.st_mode) else _OWNERS_FILE))
        if path.stat().st_mode & _OTHERS:
            raise _refused(path, "others can read it, and its file system keeps no permissions", "use another disk")
    except FileNotFoundError:  # another process has just deleted it
        return False
    return True


def _check_owner(path: Path, found: os.stat_result) -> None:
    user = os.geteuid()
    if user not in {found.st_uid, 0}:
        raise _refused(
            path,
            f"it belongs to user {found.st_uid}, and the service runs as user {user}",
            f"give it to user {user} (chown -R)",
        )


def _check_target(link: Path) -> None:
    if link.stat().st_mode & _OTHERS:
        raise _refused(link, "it is a link to what others can read", f"close that yourself: chmod -R go= {link}/")


def _check_content(data: Path, found: os.stat_result) -> None:
    """Refuse to close a folder that others may need: one with a sticky bit, or with more than ours in it."""
    others = [name for name in _names(data) if not _is_ours(name) and name != OF_THE_DISK]
    if others or found.st_mode & stat.S_ISVTX:
        holds = f", and it holds other things than ours ({others[0]})" if others else ", and is meant to be shared"
        raise _refused(data, f"others can read it{holds}", f"close it yourself (chmod 700 {data.absolute()})")


def _refused(path: Path, why: str, fix: str) -> StorageUnavailable:
    return StorageUnavailable(
        f"{path.absolute()} cannot be used: {why}. To fix it, {fix}, or choose a folder that the service makes for "
        "itself, such as a new one inside."
    )
