"""Cuts a connection that takes too long: the timeout of a socket starts again with every byte, so a drip never ends.

Of a TLS handshake it does not: Python gives the whole of it one timeout.
"""

import socket
import threading
from contextlib import suppress
from typing import Self


class TimeLimit:
    """Shuts a connection down when the block takes longer. What the block makes of it, `passed` tells from a fault."""

    def __init__(self, line: socket.socket, seconds: float) -> None:
        self.passed = False
        self._line = line
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Give the connection its time from now on."""
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it; after this the connection is not cut any more."""
        with self._lock:
            self._timer.cancel()

    def _cut(self) -> None:
        with self._lock:
            if self._timer.finished.is_set():
                return
            self.passed = True
            with suppress(OSError):  # gone already
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)  # TLS's own would drop its state under the reader
