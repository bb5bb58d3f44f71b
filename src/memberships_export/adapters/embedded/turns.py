"""Who writes next. Threads of one process come one after the other; between processes nobody is overtaken for long.

SQLite knows who writes, but not who has waited longest, and lets whoever waits sleep for up to a tenth of a second.
"""

import fcntl
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic, sleep

from memberships_export.adapters.embedded.disk import storage_errors
from memberships_export.adapters.embedded.private import private

_SHORTEST, _LONGEST, _LONGER = 0.0001, 0.002, 1.5  # seconds between two tries, and by how much each pause grows


def tries(until: float) -> Iterator[bool]:
    """Let something be tried again and again, with pauses that grow, and once after that moment: true for the last."""
    pause = _SHORTEST
    while monotonic() < until:
        yield False
        sleep(pause)
        pause = min(pause * _LONGER, _LONGEST)
    yield True


class Line:
    """A line of threads: first come, first served."""

    def __init__(self) -> None:
        """Begin with nobody in it."""
        self._guard = Lock()
        self._waiting: deque[Lock] = deque()
        self._taken = False

    def wait(self, seconds: float) -> bool:
        """Be the only one until `leave`; false when that could not be had in time."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        return turn.acquire(timeout=max(seconds, 0)) or not self._gives_up(turn)

    def leave(self) -> None:
        """Let the next one in."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def _gives_up(self, turn: Lock) -> bool:
        """Leave the line; false when it was our turn at the very last moment."""
        with self._guard:
            if turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            return True


class Head:
    """The head of the line of processes: a lock on a file, which ends with the process at the latest.

    Whoever has it waits for the writer of now; all others wait behind. It is a courtesy: a process that stands still
    with it delays others, and stops nobody.
    """

    def __init__(self, path: Path) -> None:
        """`path`: of the file, which is made on first use."""
        self._path = path
        self._descriptor: int | None = None

    @contextmanager
    def taken(self, until: float) -> Iterator[None]:
        """Be at the head of the line, or go on without after that moment. Raises StorageUnavailable."""
        if self._descriptor is None:
            self._descriptor = self._opened()
        taken = _locked_in_time(self._descriptor, until)
        try:
            yield
        finally:
            if taken:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep all others out, however long that takes: for what two must not do at once.

        Raises StorageUnavailable, also where the file system knows no locks.
        """
        descriptor = self._opened()  # of its own: threads of this process are others, too
        try:
            with storage_errors(self._path):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _opened(self) -> int:
        with storage_errors(self._path):
            return private(str(self._path), os.O_RDWR | os.O_CREAT)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _locked_in_time(descriptor: int, until: float) -> bool:
    try:
        return any(_locked(descriptor) for _ in tries(until))
    except OSError:  # the file system knows no locks: nobody is waited for
        return False


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
