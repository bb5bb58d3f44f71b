"""Kept-alive connections that do not wait for ever for the head of an answer."""

import socket
import threading
from contextlib import suppress
from urllib.parse import SplitResult

from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


def open_pool(url: SplitResult) -> HTTPConnectionPool:
    """Make the pool for the host of a checked URL: no retries, certificates verified. Opens no connection yet."""
    pool = _TlsPool if url.scheme == "https" else _Pool
    return pool(url.hostname or "", url.port, maxsize=8, retries=False)


class _Connection(HTTPConnection):
    """Cuts the line when the head takes longer than the read timeout in all.

    The timeout of a socket starts again with every byte, so a head that drips would hold a worker for days. A body that
    drips is the reader's to notice: it is read in pieces.
    """

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3 overrides http.client the same way
        late = threading.Event()
        watchdog = threading.Timer(self.timeout or 0, _cut, [self.sock, late])
        watchdog.daemon = True
        watchdog.start()
        try:
            return super().getresponse()
        finally:
            watchdog.cancel()
            if late.is_set():  # to the parser a head that was cut looks finished, or broken
                raise TimeoutError


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _cut(line: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):  # gone already
        line.shutdown(socket.SHUT_RDWR)
