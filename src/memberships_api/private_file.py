"""A database holds what is nobody else's business: its file is for this user only, from the first moment on."""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from memberships_api.repository import MembershipsUnavailable

_OWNERS = 0o600


def make_private_file(path: Path) -> None:
    """Make an empty file when there is none. It has its rights before it has its name, whatever the umask.

    Never opens a file that is there: closing a SQLite database once more would drop the locks of its connections.
    Raises MembershipsUnavailable.
    """
    path = Path(os.path.realpath(path))  # a link may lead to a file that is still to be made
    try:
        if not path.exists():
            _make(path, path.with_name(f"{path.name}.{uuid4().hex}"))
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise MembershipsUnavailable(
            f"The database {path} cannot be made ({why}): check that this user may write to its folder, that there is "
            "space on its disk, and that the file system knows hard links."
        ) from error


def _make(path: Path, aside: Path) -> None:
    aside.touch(_OWNERS, exist_ok=False)
    try:
        aside.chmod(_OWNERS)
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()
