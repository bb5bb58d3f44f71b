"""Who is alive: each process holds a file of its own."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from uuid import uuid4

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.disk import storage_errors
from memberships_export.adapters.embedded.held_file import clear_unfinished, hold, is_held
from memberships_export.adapters.embedded.sqlite_store import AS_BYTES, readable
from memberships_export.domain.export.record import Export

_LOCKED = ".lock"
_HELD_BY = f"""
    SELECT export_id, {AS_BYTES} FROM exports
    WHERE unfinished AND substr(
        CASE WHEN json_valid(document) THEN json_extract(document, '$.lease.owner') END, 1, length(:begin)
    ) = :begin
"""  # noqa: S608  (our names)

# All but what somebody works on: a living process renews its lease by its own clock, and a dead one is known.
_WRITTEN_AFTER = f"""
    SELECT export_id, {AS_BYTES}, written_at FROM exports INDEXED BY exports_unfinished
    WHERE unfinished AND written_at > ?
    AND CASE WHEN json_valid(document) THEN json_extract(document, '$.status') END IS NOT 'running'
"""  # noqa: S608  (as above)


class EmbeddedMachine:
    """Machine, by one folder of lock files."""

    def __init__(self, folder: Path, database: Database) -> None:
        """`folder`: shared by all processes that share the database; made by the first of them that claims."""
        self._folder = folder
        self._database = database
        self._me: str | None = None
        self._descriptor: int | None = None
        self._making = Lock()

    def me(self) -> str:
        """Return the id of this process, by which its file is named. The lock is held from the first call on."""
        with self._making:
            if self._me is None:
                me = f"{os.getpid()}-{uuid4().hex[:16]}"
                self._descriptor = hold(self._folder / f"{me}{_LOCKED}")
                self._me = me
            return self._me

    def gone(self) -> Sequence[str]:
        """Return the ids whose files nobody holds. Also clears away what died while it entered."""
        with storage_errors(self._folder):
            clear_unfinished(self._folder)
            return [path.stem for path in self._folder.glob(f"*{_LOCKED}") if not is_held(path)]

    def held_by(self, process: str) -> Sequence[Export]:
        """Read the records on which a process has a lease."""
        return readable(self._database.read(_HELD_BY, {"begin": f"{process}."}))

    def written_after(self, moment: datetime) -> Sequence[tuple[Export, datetime]]:
        """Read unfinished records that nobody works on, with the time of their last write, if that is later."""
        rows = self._database.read(_WRITTEN_AFTER, [moment.timestamp()])
        return [(one, datetime.fromtimestamp(row["written_at"], UTC)) for row in rows for one in readable([row])]

    def forget(self, process: str) -> None:
        """Remove the file of a dead process."""
        with storage_errors(self._folder):
            (self._folder / f"{process}{_LOCKED}").unlink(missing_ok=True)

    def __del__(self) -> None:
        """Free the lock: whoever could have claimed with it is gone."""
        if self._descriptor is not None:
            os.close(self._descriptor)


def dead(folder: Path) -> list[str]:
    """Return the ids of processes that died, and that nobody has forgotten yet."""
    return sorted(path.stem for path in folder.glob(f"*{_LOCKED}") if not is_held(path))


def living(folder: Path) -> list[str]:
    """Return the ids of processes that may be alive, by the folder of their lock files."""
    return sorted(path.stem for path in folder.glob(f"*{_LOCKED}") if is_held(path))
