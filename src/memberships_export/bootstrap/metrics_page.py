"""What /metrics says: what all processes of this machine counted, and what the store held when it was last read."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import monotonic

from memberships_export.adapters.aws.emf import EmbeddedMetrics
from memberships_export.adapters.embedded.counts import Counts
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.exposition import exposition
from memberships_export.adapters.embedded.held_file import try_lock
from memberships_export.adapters.embedded.levels import DatabaseLevels
from memberships_export.domain.errors import ExportError
from memberships_export.domain.metric import Level
from memberships_export.ports import Ports
from memberships_export.service.metrics import STORE_UP
from memberships_export.settings import Settings

log = logging.getLogger(__name__)
_FRESH_SECONDS = 30.0


class MetricsPage:
    """The page, and the right to answer with it: one process of a data folder has it at a time."""

    def __init__(self, counts: Counts, levels: Callable[[], Sequence[Level]], turn: Path) -> None:
        """`turn`: the file whose lock is that right."""
        self._counts = counts
        self._read_levels = levels
        self._turn = turn
        self._descriptor: int | None = None
        self._adding_up = Lock()
        self._levels: Sequence[Level] = ()
        self._read_at: float | None = None
        self._told = False

    def take_turn(self) -> bool:
        """Take the right to answer, if nobody has it. Raises StorageUnavailable."""
        if self._descriptor is None:
            self._descriptor = try_lock(self._turn)
        return self._descriptor is not None

    def give_up_turn(self) -> None:
        """Leave it to another process."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def refresh(self) -> None:
        """Read the store. When it is away, what was read before stays, and soon says that it is old."""
        try:
            self._levels = self._read_levels()
        except ExportError as error:
            if not self._told:
                log.warning("event=metrics_unread reason=%s", error.reason)
            self._told = True
        else:
            self._read_at, self._told = monotonic(), False

    def __call__(self, accepts: str) -> tuple[bytes, str]:
        """Return the text and its content type. Waits for no store."""
        with self._adding_up:
            numbers = self._counts.total()
        fresh = self._read_at is not None and monotonic() - self._read_at < _FRESH_SECONDS
        levels = [*self._levels, Level(STORE_UP, float(fresh))]
        return exposition(self._counts.layout, numbers, levels, accepts)


def counting(settings: Settings, ports: Ports) -> Ports:
    """Let the use cases of a process that serves count: commands of operators keep their output to themselves."""
    if settings.backend == "aws":
        return replace(ports, metrics=EmbeddedMetrics())
    if settings.metrics_port is None:
        return ports
    return replace(ports, metrics=Counts(settings.data_dir / "metrics"))


def metrics_page(settings: Settings, ports: Ports) -> MetricsPage | None:
    """Return the page for ports that count on one machine."""
    if not isinstance(ports.metrics, Counts):
        return None
    database = Database(settings.data_dir / "exports.db")
    return MetricsPage(
        ports.metrics, DatabaseLevels(database, ports.clock), settings.data_dir / "metrics" / "answering.lock"
    )
