"""Kept-alive connections that do not wait for ever for the head of an answer."""

from urllib.parse import SplitResult

from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from memberships_export.adapters.http.watchdog import TimeLimit


def open_pool(url: SplitResult) -> HTTPConnectionPool:
    """Make the pool for the host of a checked URL: no retries, certificates verified. Opens no connection yet."""
    pool = _TlsPool if url.scheme == "https" else _Pool
    return pool(url.hostname or "", url.port, maxsize=8, retries=False)


class _Connection(HTTPConnection):
    """Cuts the line when the head takes longer than the read timeout in all.

    A body that drips is the reader's to notice: it is read in pieces.
    """

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3 overrides http.client the same way
        with TimeLimit(self.sock, self.timeout or 0) as limit:
            try:
                return super().getresponse()
            finally:
                if limit.passed:  # to the parser a head that was cut looks finished, or broken
                    raise TimeoutError


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
