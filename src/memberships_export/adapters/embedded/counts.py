"""Counters and histograms of all processes on one data folder, the dead ones included.

Each process has a small file of numbers, one place for each value that the catalogue can have. What it counts is
written there at once, so that it survives kill -9. Whoever reads adds the files up. A file whose process is dead is
added to the sum of the dead and removed: there are never more files than processes.

A counter must not go down, so the sum of the dead stays. Nothing here is synced: after a power cut the numbers may be
older, or begin anew, which Prometheus knows how to read.
"""

import errno
import json
import logging
import os
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from uuid import uuid4

from memberships_export.adapters.embedded.held_file import clear_unfinished, hold, is_held
from memberships_export.adapters.embedded.private import private
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.metric import Kind, Metric
from memberships_export.service.metrics import CATALOGUE

log = logging.getLogger(__name__)
_LIVE, _DEAD = ".counts", "dead.json"
_NUMBER = struct.Struct("=d")
_HEAD = 32  # bytes: the fingerprint of the layout


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each number has its place. A histogram has one for each bucket, one for what is above, one for the sum."""

    places: Mapping[tuple[str, str], int]
    size: int
    fingerprint: bytes  # 32 bytes: files of another version are not read

    def of(self, metric: Metric, numbers: Sequence[float], label: str) -> Sequence[float]:
        """Return the numbers of one metric, under one value of its label."""
        place = self.places[metric.name, label]
        return numbers[place : place + _width(metric)]


def layout(catalogue: Sequence[Metric] = CATALOGUE) -> Layout:
    """Give each number its place. Gauges have none: they are read from the store."""
    places, size = {}, 0
    for metric in catalogue:
        for label in metric.shown if metric.kind is not Kind.GAUGE else ():
            places[metric.name, label] = size
            size += _width(metric)
    named = json.dumps([(metric.name, metric.kind, metric.shown, metric.buckets) for metric in catalogue])
    return Layout(places, size, sha256(named.encode()).digest())


def _width(metric: Metric) -> int:
    return len(metric.buckets) + 2 if metric.kind is Kind.HISTOGRAM else 1


class Counts:
    """Metrics of this process, and the sum of all."""

    def __init__(self, folder: Path) -> None:
        """`folder`: shared by all processes of one data folder. Nothing is opened before something is counted."""
        self._folder = folder
        self.layout = layout()
        self._numbers = array("d", bytes(8 * self.layout.size))
        self._lock = Lock()
        self._path: Path | None = None
        self._descriptor: int | None = None
        self._written = False  # whether the file has what was counted so far
        self._told = False

    def count(self, metric: Metric, label: str = "", by: float = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._add(self.layout.places[metric.name, metric.known(label)], by)

    def observe(self, metric: Metric, value: float, label: str = "") -> None:
        """Add one value to a histogram: to its bucket, and to the sum."""
        place = self.layout.places[metric.name, metric.known(label)]
        with self._lock:
            self._add(place + bisect_left(metric.buckets, value), 1)
            self._add(place + len(metric.buckets) + 1, value)

    def set(self, metric: Metric, value: float, label: str = "") -> None:
        """Leave it: on one machine gauges are read from the store, which all processes share."""

    def total(self) -> Sequence[float]:
        """Add up all processes, as far as their files can be read. One process at a time may call this."""
        with self._lock:
            total = array("d", self._numbers)
        dead, folded = self._dead()
        _add_all(total, dead)
        for path, numbers in self._others(folded):
            _add_all(total, numbers)
            if not is_held(path):
                self._bury(path)
        return total

    def __del__(self) -> None:
        """Free the lock: whoever could have counted is gone."""
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _add(self, place: int, by: float) -> None:
        self._numbers[place] += by
        try:
            if self._written and self._descriptor is not None:
                os.pwrite(self._descriptor, _NUMBER.pack(self._numbers[place]), _HEAD + 8 * place)
            else:
                self._write_all()
        except (OSError, StorageUnavailable) as error:  # the numbers are right here, and are written with the next one
            if self._written or not self._told:
                log.warning("event=metrics_not_shared reason=%s", error)
            self._written, self._told = False, True

    def _write_all(self) -> None:
        if self._descriptor is None:
            path = self._folder / f"{os.getpid()}-{uuid4().hex[:16]}{_LIVE}"
            self._descriptor = hold(path)
            self._path = path
        content = self.layout.fingerprint + self._numbers.tobytes()
        if os.pwrite(self._descriptor, content, 0) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._written = True

    def _others(self, folded: Sequence[str]) -> Iterator[tuple[Path, Sequence[float]]]:
        """Read the files of other processes that may be read; remove those that say nothing any more."""
        paths: list[Path] = []
        with suppress(OSError):
            clear_unfinished(self._folder)
            paths = sorted(self._folder.glob(f"*{_LIVE}"))
        for path in paths:
            if path == self._path:
                continue
            alive = is_held(path)  # asked first: what a dead process wrote does not change any more
            numbers = None if path.name in folded else self._read(path)
            if numbers is not None:
                yield path, numbers
            elif not alive:
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def _read(self, path: Path) -> Sequence[float] | None:
        try:
            content = path.read_bytes()
        except OSError:
            return None
        numbers = content[_HEAD:]
        if content[:_HEAD] != self.layout.fingerprint or len(numbers) != 8 * self.layout.size:
            return None  # of another version, or cut short
        return array("d", numbers)

    def _dead(self) -> tuple[Sequence[float], list[str]]:
        """Return the sum of the dead, and the names of the files that are in it and may still be there."""
        nothing: tuple[Sequence[float], list[str]] = ([], [])
        try:
            found = json.loads((self._folder / _DEAD).read_bytes())
            if found["layout"] != self.layout.fingerprint.hex() or len(found["numbers"]) != self.layout.size:
                return nothing
            return [float(number) for number in found["numbers"]], [str(name) for name in found["files"]]
        except (OSError, ValueError, KeyError, TypeError):
            return nothing

    def _bury(self, path: Path) -> None:
        """Add a dead process to the sum, which names it: whoever dies before the file is gone counts nothing twice."""
        numbers, (dead, files) = self._read(path), self._dead()
        total = array("d", bytes(8 * self.layout.size))
        _add_all(total, dead)
        _add_all(total, numbers or [])
        left = [name for name in files if (self._folder / name).exists()]
        content = {
            "layout": self.layout.fingerprint.hex(),
            "numbers": list(total),
            "files": [*left, path.name],
        }
        with suppress(OSError):
            aside = self._folder / f"{_DEAD}.{os.getpid()}"
            with open(aside, "w", encoding="ascii", opener=private) as file:
                json.dump(content, file)
            aside.replace(self._folder / _DEAD)
            path.unlink(missing_ok=True)


def _add_all(total: "array[float]", numbers: Sequence[float]) -> None:
    for place, number in enumerate(numbers):
        total[place] += number
