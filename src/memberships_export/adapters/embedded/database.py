"""One SQLite file for records and queue. What is committed survives kill -9, and power cuts unless said otherwise.

A power cut takes the whole file back to a moment in its past, not to before the last commit that waited for the disk.
"""

import sqlite3
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic

from memberships_export.adapters.embedded.disk import make_folder, storage_errors
from memberships_export.adapters.embedded.private import make_private_file
from memberships_export.adapters.embedded.turns import Head, Line, tries
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.finding import address_key

# Each leads from the version before it to the next.
_SCHEMA = ("schema.sql", *(f"schema-{version}.sql" for version in range(2, 11)))
SCHEMA_VERSION = len(_SCHEMA)
_COURTESY = 0.1  # seconds: so long others wait behind a process that waits to write, in case it stands still
_FIXES = {
    sqlite3.SQLITE_BUSY: "another process holds it for too long: stop that process or wait for it",
    sqlite3.SQLITE_PERM: "give the service's user write permission to it and its folder",
    sqlite3.SQLITE_READONLY: "give the service's user write permission to it and its folder",
    sqlite3.SQLITE_CANTOPEN: "give the service's user write permission to its folder, or set another path",
    sqlite3.SQLITE_FULL: "free some space on this disk",
    sqlite3.SQLITE_IOERR: "check this disk, its free space and the limits of this process",
    sqlite3.SQLITE_CORRUPT: "restore it from a backup, or move it away to start empty",
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database: move it away, or set another path",
}

Value = str | int | float | None


class Database:
    """Connections to one file, which is made with its folder on first use.

    Threads share nothing: each use borrows a connection and gives it back. A pool instead of one per thread, because
    web servers start and end threads all the time.
    """

    def __init__(self, path: Path, busy_timeout: timedelta = timedelta(seconds=5), *, may_upgrade: bool = True) -> None:
        """`busy_timeout`: how long to wait for another writer. `may_upgrade`: take over a file of an older version."""
        self._path = path
        self._may_upgrade = may_upgrade
        self._busy_timeout = busy_timeout
        self._idle: deque[sqlite3.Connection] = deque()
        self._line = Line()
        self._head = Head(path.with_name(f"{path.name}-turn"))

    @property
    def folder(self) -> Path:
        """Return the folder in which the file is."""
        return self._path.parent

    @contextmanager
    def transaction(self, *, may_be_lost: bool = False) -> Iterator[sqlite3.Connection]:
        """Be the only writer until the block ends; an error inside undoes everything.

        `may_be_lost`: do not wait for the disk. A power cut may take it back, as long as no other commit came after it
        that did wait: what is done is done again, or nobody outside the database relies on it.
        """
        until = self._deadline()
        with self._in_line(until), self._borrowed() as connection:
            if may_be_lost:
                connection.execute("PRAGMA synchronous = NORMAL")
            self._begin(connection, until)
            yield connection
            connection.execute("COMMIT")
            if may_be_lost:
                connection.execute("PRAGMA synchronous = FULL")

    def read(self, query: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> list[sqlite3.Row]:
        """Read committed rows; waits for nobody."""
        with self._borrowed() as connection:
            return connection.execute(query, values).fetchall()

    def empty_log(self) -> None:
        """Bring the log (-wal) into the database and cut it, as far as nobody is reading: it holds what was deleted."""
        with self._in_line(self._deadline()), self._borrowed() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close every connection, when no thread uses the database any more."""
        while self._idle:
            self._idle.pop().close()
        self._head.close()

    def __del__(self) -> None:
        """Close what nobody closed; nobody uses it any more."""
        self.close()

    @contextmanager
    def _in_line(self, until: float) -> Iterator[None]:
        """Keep the other threads of this process waiting. Raises StorageUnavailable when it lasts too long."""
        if not self._line.wait(until - monotonic()):
            raise _unavailable(self._path, "it is locked", sqlite3.SQLITE_BUSY)
        try:
            yield
        finally:
            self._line.leave()

    def _begin(self, connection: sqlite3.Connection, until: float) -> None:
        """Wait for a writer of another process, but not as SQLite does, which sleeps for a tenth of a second."""
        connection.execute("PRAGMA busy_timeout = 0")
        with self._head.taken(min(until, monotonic() + _COURTESY)):
            for last in tries(until):
                if _begun(connection, may_wait=not last):
                    break
        connection.execute(f"PRAGMA busy_timeout = {self._busy_timeout // timedelta(milliseconds=1)}")

    def _deadline(self) -> float:
        return monotonic() + self._busy_timeout.total_seconds()

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        with sqlite_errors(self._path):
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._open()
            try:
                yield connection
            except BaseException:
                connection.close()  # rolls back; a fresh connection also sees a repaired disk
                raise
            self._idle.append(connection)

    def _open(self) -> sqlite3.Connection:
        with storage_errors(self._path):
            make_folder(self._path.parent)
            make_private_file(self._path)  # SQLite gives its rights to -wal and -shm
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout.total_seconds(), isolation_level=None, check_same_thread=False
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, and not only let go
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = _version(connection)
        if version > SCHEMA_VERSION:
            reason = (
                f"The database {self._path} has schema {version} and this program knows up to {SCHEMA_VERSION}: "
                "it was written by a newer version. To fix it, run that version, or set another path."
            )
            raise StorageUnavailable(reason)
        if 0 < version < SCHEMA_VERSION and not self._may_upgrade:
            reason = (
                f"The database {self._path} has schema {version} and this program has {SCHEMA_VERSION}: the service "
                "that runs on it is of an older version. To fix it, run this command by that version, or start the "
                "service with this one, which takes the database over."
            )
            raise StorageUnavailable(reason)
        if version < SCHEMA_VERSION:
            # Two that run the same scripts at once would leave a version that is neither, and two that switch a new
            # file to WAL at once make SQLite report "locked" without waiting.
            with self._head.alone():
                connection.execute("PRAGMA journal_mode = WAL")  # stays with the file
                connection.create_function("address_key", 1, address_key, deterministic=True)
                for script in _SCHEMA[_version(connection) :]:  # another process may have done it meanwhile
                    connection.executescript(Path(__file__).with_name(script).read_text(encoding="utf-8"))


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn what can happen to a disk into StorageUnavailable; a wrong statement stays the bug it is."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if _code(error) not in _FIXES:
            raise
        raise _unavailable(path, str(error), _code(error)) from error


def _begun(connection: sqlite3.Connection, *, may_wait: bool) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if may_wait and _code(error) == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True


def _code(error: sqlite3.DatabaseError) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _unavailable(path: Path, what: str, code: int) -> StorageUnavailable:
    return StorageUnavailable(f"The database {path} cannot be used: {what}. To fix it, {_FIXES[code]}.")
