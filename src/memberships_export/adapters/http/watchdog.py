"""Cuts a connection that takes too long: the timeout of a socket starts again with every byte, so a drip never ends.

Of a TLS handshake it does not: Python gives the whole of it one timeout.

One thread watches all connections of the process: one for each call takes longer to start than the call to be sent.
"""

import socket
from contextlib import suppress
from functools import cache
from threading import Condition, Lock, Thread
from time import monotonic
from typing import Self


class TimeLimit:
    """Shuts a connection down when the block takes longer. What the block makes of it, `passed` tells from a fault."""

    def __init__(self, line: socket.socket, seconds: float) -> None:
        self.passed = False
        self.end = 0.0  # of the clock `monotonic`; known from the beginning of the block on
        self._line = line
        self._seconds = seconds
        self._ending = Lock()
        self._left = False

    def __enter__(self) -> Self:
        """Give the connection its time from now on."""
        self.end = monotonic() + self._seconds
        _watchdog().watch(self)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it; after this the connection is not cut any more."""
        _watchdog().leave(self)
        with self._ending:
            self._left = True

    def cut(self) -> None:
        """Shut the connection down, unless the block is left."""
        with self._ending:
            if self._left:
                return
            self.passed = True
            with suppress(OSError, TypeError):  # gone already, or never there
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)  # TLS's own would drop its state under the reader


class _Watchdog:
    """A thread that sleeps until the first of the limits has passed; it begins with the first limit."""

    def __init__(self) -> None:
        self._watched: set[TimeLimit] = set()
        self._changed = Condition()
        self._wakes = float("inf")
        self._thread: Thread | None = None

    def watch(self, limit: TimeLimit) -> None:
        """Cut it at its end."""
        with self._changed:
            self._watched.add(limit)
            if self._thread is None or not self._thread.is_alive():  # a child process has none of its parent's threads
                self._thread = Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            elif limit.end < self._wakes:  # else it wakes early enough
                self._changed.notify()

    def leave(self, limit: TimeLimit) -> None:
        """Do not: it may wake in vain."""
        with self._changed:
            self._watched.discard(limit)

    def _run(self) -> None:
        while True:
            for limit in self._passed():
                limit.cut()

    def _passed(self) -> set[TimeLimit]:
        """Wait until one has passed, and return all that have; they are watched no longer."""
        with self._changed:
            while not (passed := {limit for limit in self._watched if limit.end <= monotonic()}):
                self._wakes = min((limit.end for limit in self._watched), default=float("inf"))
                self._changed.wait(None if self._wakes == float("inf") else self._wakes - monotonic())
            self._watched -= passed
            return passed


@cache
def _watchdog() -> _Watchdog:
    return _Watchdog()
