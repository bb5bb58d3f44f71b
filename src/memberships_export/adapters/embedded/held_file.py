"""A file that belongs to one process: it holds a lock, which the operating system frees when the process dies.

A lock says nothing about a process that stands still: that one keeps it. Child processes share it with their parent.
"""

import fcntl
import os
from pathlib import Path

from memberships_export.adapters.embedded.disk import make_folder, storage_errors
from memberships_export.adapters.embedded.private import private

NEW = ".new"  # a file gets its own ending when it is locked


def hold(path: Path) -> int:
    """Make a file and lock it; return its descriptor, with which the lock ends. Raises StorageUnavailable.

    It is locked before it has its name: nobody ever sees it without its lock.
    """
    with storage_errors(path.parent):
        make_folder(path.parent)
        while (descriptor := _entered(path)) is None:
            pass
    return descriptor


def _entered(path: Path) -> int | None:
    """Do so; None when another removed the file just before it was locked, as one of somebody who had died."""
    new = path.with_suffix(NEW)
    descriptor = private(str(new), os.O_RDWR | os.O_CREAT | os.O_EXCL)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # whoever looks whether it is held lets go at once
        new.rename(path)
    except FileNotFoundError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_held(path: Path) -> bool:
    """Tell whether its process may be alive: only a lock that we could get ourselves proves that it is not."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def clear_unfinished(folder: Path) -> None:
    """Remove what died while it was made."""
    for path in folder.glob(f"*{NEW}"):
        if not is_held(path):
            path.unlink(missing_ok=True)


def try_lock(path: Path) -> int | None:
    """Lock a file that all share, made when it is not there; None when another has it. Raises StorageUnavailable."""
    with storage_errors(path):
        make_folder(path.parent)
        descriptor = private(str(path), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
