"""Wakes who waits for a message, in all processes of a data folder: nobody has to look again and again.

A process that waits has a FIFO in one folder, and a thread that reads it. Who sends writes a byte into each. Nothing
depends on it but time: who waits looks by itself now and then, for what comes back later has no sender.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path
from threading import Condition, Lock, Thread
from uuid import uuid4

from memberships_export.adapters.embedded.disk import make_folder

BELLS = "bells"  # the folder, beside the database
_NAMED, _UNNAMED = ".bell", ".new"  # it has its name when somebody listens
_LOOK_SECONDS = 1.0  # between two looks of who waits
_LOOK_SECONDS_DEAF = 0.1  # where there can be no FIFO
_READ = 4096
_STOP = b"\x00"
_RING = b"\n"


class Bell:
    """The bell of one process; ringing it rings those of all."""

    def __init__(self, folder: Path) -> None:
        """`folder`: shared by all processes; made by the first that waits."""
        self._folder = folder
        self._rings = _Rings()
        self._beginning = Lock()
        self._fifo: int | None = None
        self._path: Path | None = None
        self._look_seconds = _LOOK_SECONDS_DEAF
        self._began = False

    @property
    def rung(self) -> int:
        """Return how often it was heard: to be asked before looking, and told when waiting."""
        return self._rings.count

    def ring(self) -> None:
        """Wake one who waits in this process, and one in each other."""
        self._rings.add()
        with suppress(OSError):  # nobody has ever waited, or nobody can be reached
            for name in os.listdir(self._folder):  # noqa: PTH208  (an object for each name takes longer)
                if name.endswith(_NAMED):
                    self._ring_other(self._folder / name)

    def pass_on(self) -> None:
        """Wake one more who waits in this process: where there was one message, there may be another."""
        self._rings.add()

    def wait(self, rung: int, seconds: float) -> None:
        """Wait until it has been heard more often than `rung`, or it is time to look again."""
        if not self._began:
            self._listen()
        self._rings.wait(rung, min(seconds, self._look_seconds))

    def __del__(self) -> None:
        """Take the bell away: nobody waits any more."""
        if self._fifo is not None and self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
                os.write(self._fifo, _STOP)

    def _ring_other(self, path: Path) -> None:
        if path == self._path:
            return
        try:
            other = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nobody reads it: its process is dead
                path.unlink(missing_ok=True)
            return
        try:
            with suppress(BlockingIOError, BrokenPipeError):  # full: it has been rung, or dies just now
                os.write(other, _RING)
        finally:
            os.close(other)

    def _listen(self) -> None:
        """Have a FIFO from now on. What was sent before is found by looking: so nobody waits yet."""
        with self._beginning:
            if self._began:
                return
            with suppress(OSError, RuntimeError):  # no FIFOs there, or no more threads: then it looks often
                self._path, self._fifo = _made(self._folder)
                Thread(target=_hear, args=(self._fifo, self._rings), name="bell", daemon=True).start()
                self._look_seconds = _LOOK_SECONDS
            self._began = True
            self._rings.add()


class _Rings:
    """How often a bell was heard in this process."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = Condition()

    def add(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify()

    def wait(self, count: int, seconds: float) -> None:
        with self._changed:
            if self.count == count:
                self._changed.wait(seconds)


def _made(folder: Path) -> tuple[Path, int]:
    """Make a FIFO for this user only, and open it; it has its name afterwards: unread it would be taken for dead."""
    make_folder(folder)
    path = folder / f"{os.getpid()}-{uuid4().hex[:16]}{_NAMED}"
    new = path.with_suffix(_UNNAMED)
    os.mkfifo(new, 0o600)
    try:
        fifo = os.open(new, os.O_RDWR)  # to write also: so there is no end of it while this process lives
        try:
            new.rename(path)
        except BaseException:
            os.close(fifo)
            raise
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return path, fifo


def _hear(fifo: int, rings: _Rings) -> None:
    """Read until it is stopped: a thread that sleeps while nobody rings."""
    while _STOP not in os.read(fifo, _READ):
        rings.add()
    os.close(fifo)
