"""Troubles with an SQLite file, in words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from memberships_api.repository import MembershipsUnavailable

_ADVICE: Final = {
    "SQLITE_FULL": "the disk, or that of temporary files, is full: free some space there",
    "SQLITE_READONLY": "nobody may write to it: check the rights of the file and of its folder",
    "SQLITE_PERM": "this user may not use it: check the rights of the file and of its folder",
    "SQLITE_CANTOPEN": "it cannot be opened: check that the folder is there and this user may write to it",
    "SQLITE_BUSY": "another process, such as another import, is writing to it: wait until that has ended and try again",
    "SQLITE_LOCKED": "another process, such as another import, is writing to it: wait until that has ended",
    "SQLITE_NOTADB": "it is no SQLite database: check that it is the right file",
    "SQLITE_CORRUPT": "it is damaged: put the last backup in its place",
    "SQLITE_IOERR": "the disk gives errors: check that it is there and not full",
}


@contextmanager
def troubles_in_words(path: Path) -> Iterator[None]:
    """Raise MembershipsUnavailable for whatever keeps the file from being used."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        known = next((advice for code, advice in _ADVICE.items() if name.startswith(code)), "check that it is there")
        raise MembershipsUnavailable(f"The database {path.absolute()} cannot be used ({error}): {known}.") from error
