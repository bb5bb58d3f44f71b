"""A database of a running service as it is at one moment, without the remains of what was deleted from it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from memberships_export.adapters.embedded.database import sqlite_errors
from memberships_export.adapters.embedded.disk import storage_errors
from memberships_export.adapters.embedded.private import make_private_file

_BUSY_SECONDS = 30


@contextmanager
def reading(path: Path, *, copied: bool = False) -> Iterator[sqlite3.Connection]:
    """Open a database to look at it, and change nothing: neither its schema nor its journal.

    `copied`: nobody else has it open; then SQLite puts no files beside it either.
    """
    how = "immutable=1" if copied else "mode=ro"
    with sqlite_errors(path):
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?{how}", uri=True, timeout=_BUSY_SECONDS)
        with closing(connection):
            yield connection


def snapshot(source: Path, target: Path) -> None:
    """Write the database as it is now to a new file. Nobody waits for it: readers and writers go on."""
    with storage_errors(target):
        make_private_file(target)  # VACUUM fills an empty file, and makes none that others could read
    with reading(source) as connection, sqlite_errors(target):
        connection.execute("VACUUM INTO ?", [str(target)])
    with sqlite_errors(target), closing(sqlite3.connect(target)) as copied:
        copied.execute("PRAGMA journal_mode = WAL")  # VACUUM does not keep it, and the service needs it


def schema_of(connection: sqlite3.Connection) -> int:
    """Return the version of its schema."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def size_of(path: Path) -> int:
    """Return at most how many bytes a snapshot takes; 0 for a database that is not there."""
    if not path.exists():
        return 0
    with reading(path) as connection:
        pages, size = (connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "page_size"))
    return int(pages) * int(size)
