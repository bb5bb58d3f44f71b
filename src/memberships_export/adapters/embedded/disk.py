"""Folders that survive a power cut, and what the operating system says when something is wrong."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memberships_export.domain.errors import StorageUnavailable

_FIXES = {
    errno.ENOSPC: "free some space on this disk",
    errno.EDQUOT: "free some space or raise the quota of this user",
    errno.EFBIG: "raise the file size limit of this process (ulimit -f)",
    errno.EACCES: "give the service's user write permission there",
    errno.EPERM: "use a folder where this user may write and make hard links",
    errno.EOPNOTSUPP: "use a file system that knows hard links",
    errno.EROFS: "mount it writable, or set another folder",
    errno.ENOENT: "check that the disk is mounted and that nobody deletes the folder",
    errno.ENOTDIR: "a file stands where a folder is needed: move it away, or set another folder",
    errno.EMFILE: "raise the limit of open files of this process (ulimit -n)",
}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn OSError into StorageUnavailable that names the path and the fix."""
    try:
        yield
    except OSError as error:
        what = os.strerror(error.errno) if error.errno else str(error)
        fix = _FIXES.get(error.errno or 0, "check this disk and its mount")
        reason = f"{path} cannot be used: {what}. To fix it, {fix}."
        raise StorageUnavailable(reason) from error


def make_folder(path: Path) -> None:
    """Make a folder with its missing parents, durably, readable by this user only, whatever the umask."""
    try:
        path.mkdir(mode=0o700)
        path.chmod(0o700)
    except FileExistsError:
        if path.is_dir():
            return None
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None
    except FileNotFoundError:
        make_folder(path.parent)
        return make_folder(path)
    return sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable: without this a power cut can lose a file that itself was synced."""
    with _opened(path) as descriptor:
        os.fsync(descriptor)


def is_still(path: Path, descriptor: int) -> bool:
    """Tell whether what was opened still has this name: nobody has renamed or replaced it."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
