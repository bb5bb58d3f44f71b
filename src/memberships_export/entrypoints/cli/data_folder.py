"""The data folder, looked at before anything is done in it: what is wrong with it is told in words that fit."""

import errno
import os
import tempfile
from pathlib import Path

from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.settings import variable

_FIXES = {
    errno.EEXIST: "Something that is no folder has this name: move it away",
    errno.ENOTDIR: "Something that is no folder stands on the way to it: move it away",
    errno.ELOOP: "A symbolic link on the way to it leads back to itself: remove the link",
    errno.EROFS: "The file system is mounted read-only: mount it writable",
    errno.ENOSPC: "The disk is full: free some space",
    errno.EDQUOT: "The quota of this user is used up: free some space, or raise it",
    errno.ENAMETOOLONG: "Use a shorter name",
    errno.ENOENT: "Check that its disk is mounted: no folder can be made there",
}
_ROOT = (
    "Root may write everywhere but where the system forbids it: on a network drive that takes root for nobody, in a "
    "folder set immutable (lsattr -d shows it), in a container without that right. Run the service as a user who may"
)


def make_writable(folder: Path) -> None:
    """Make the folder, and try whether it takes files: better now than with the first export. Raises CommandError."""
    try:
        _make(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unusable(folder, error) from error


def _make(folder: Path) -> None:
    try:
        for missing in [path for path in reversed(folder.parents) if not path.exists()]:
            missing.mkdir(mode=0o700, exist_ok=True)  # mkdir(parents=True) would let the umask decide
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        folder.stat()  # a link that leads nowhere says so here
        raise


def holds(folder: Path, name: str) -> bool:
    """Tell whether something of this name is in the folder. Raises CommandError when that cannot be found out."""
    try:
        (folder / name).lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise unusable(folder, error) from error
    return True


def unusable(folder: Path, error: OSError) -> CommandError:
    """Say what is wrong with the folder, and what this user can do about it."""
    fix = _FIXES.get(error.errno or 0) or (_ROOT if os.geteuid() == 0 else _rights())
    what = os.strerror(error.errno) if error.errno else str(error)
    return CommandError(
        f"The data folder {folder.absolute()} cannot be used ({what}). {fix}, or choose another folder with "
        f"{variable('data_dir')}."
    )


def _rights() -> str:
    return f"Give this user (id {os.geteuid()}) the right to read and write there"
