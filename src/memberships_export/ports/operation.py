"""What is kept for operators, and what all processes obey."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from memberships_export.domain.audit import Audited, AuditPage, AuditQuery
from memberships_export.domain.export.tombstone import Tombstone
from memberships_export.domain.metric import Metric
from memberships_export.domain.pause import Pause


class ServiceState(Protocol):
    """What all processes of one service obey."""

    def pause(self, pause: Pause) -> Pause:
        """Pause the service, and return the pause as it is now. One that is there keeps its time and who said so."""
        ...

    def resume(self) -> Pause | None:
        """End the pause; return it, None when there was none."""
        ...

    def paused(self) -> Pause | None:
        """Return the pause, None when the service works. Asked often: the answer may be some seconds old."""
        ...


class Erasures(Protocol):
    """The tombstones of exports that were erased."""

    def begin(self, tombstone: Tombstone) -> Tombstone:
        """Save it, unless this export has one: return the one that is there then."""
        ...

    def get(self, export_id: str) -> Tombstone | None:
        """Read the tombstone of an export, never stale."""
        ...

    def replace(self, old: Tombstone, new: Tombstone) -> bool:
        """Write `new` if the `clear_at` there is still that of `old`; False when it is not."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[Tombstone]:
        """Read tombstones whose clear_at has passed, the longest overdue first. May be slightly stale."""
        ...

    def all(self) -> Iterator[Tombstone]:
        """Read all tombstones, oldest first."""
        ...


class AuditLog(Protocol):
    """Who did what to whose data. Entries are added; of one that is there only a begun outcome changes, once."""

    def note(self, entry: Audited) -> None:
        """Keep an entry, durably, or the outcome of one that was begun. Raises StorageUnavailable."""
        ...

    def read(self, query: AuditQuery) -> AuditPage:
        """Read entries, the newest first. The very newest may be missing for a moment."""
        ...

    def forget_before(self, moment: datetime) -> int:
        """Delete entries from before this moment, a bounded number of them; return how many it were.

        Where entries expire by themselves it does nothing.
        """
        ...


class Metrics(Protocol):
    """Takes the numbers of the catalogue (service/metrics.py). It never raises, and is never in the way."""

    def count(self, metric: Metric, label: str = "", by: float = 1) -> None:
        """Add to a counter, under this value of its label."""
        ...

    def observe(self, metric: Metric, value: float, label: str = "") -> None:
        """Add one value to a histogram."""
        ...

    def set(self, metric: Metric, value: float, label: str = "") -> None:
        """Say what a gauge is now, where nobody can read it from the store."""
        ...
