"""Kept-alive connections that do not wait for ever for the head of an answer, and survive their own death.

They go straight to their host: no variable of the environment, such as HTTPS_PROXY, sends them elsewhere.
"""

import errno
import logging
import ssl
import threading
from contextlib import contextmanager, suppress
from queue import Empty
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ProtocolError

from memberships_export.adapters.http.certificates import trusting_context
from memberships_export.adapters.http.watchdog import TimeLimit

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT = 64  # connections: one for each worker that a process may have
# They write whole URLs, with what is private and secret in the query, also as warnings.
_WRITE_URLS = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")
_thread = threading.local()


def open_pool(url: SplitResult) -> HTTPConnectionPool:
    """Make the pool for the host of a checked URL: certificates verified. Opens no connection yet.

    Only for calls that may be made twice: those that read, whatever their method, and those to AWS, which expect it.
    One is repeated once when a connection that was used before breaks before its answer. Nothing else is.
    """
    for name in _WRITE_URLS:
        logging.getLogger(name).addFilter(_is_not_ours)
    pool = _TlsPool if url.scheme == "https" else _Pool
    return pool(url.hostname or "", url.port, maxsize=_KEPT, retries=False)


def _is_not_ours(_: logging.LogRecord) -> bool:
    """Keep the log lines of other users of urllib3: what went wrong with our calls we say ourselves."""
    return not getattr(_thread, "calls", False)


class _Stale(ConnectionError):
    """A connection that was used before broke before an answer: most likely it had ended while nobody used it."""


class _Connection(HTTPConnection):
    """Cuts the line when the head takes longer than the read timeout in all.

    A body that drips is the reader's to notice: it is read in pieces.
    """

    _used = False

    def connect(self) -> None:
        self._used = False
        super().connect()

    def send(self, data: Any) -> None:  # noqa: ANN401  (whatever http.client sends)
        with self._told_if_stale():
            super().send(data)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3 overrides http.client the same way
        with TimeLimit(self.sock, self.timeout or 0) as limit:
            try:
                with self._told_if_stale():
                    return super().getresponse()
            finally:
                self._used = True
                if limit.passed:  # to the parser a head that was cut looks finished, or broken
                    raise TimeoutError

    @contextmanager
    def _told_if_stale(self) -> "Iterator[None]":
        try:
            yield
        except OSError as error:
            if self._used and _is_broken(error):
                raise _Stale from error
            raise


class _TlsConnection(_Connection, HTTPSConnection):
    def connect(self) -> None:
        self.ssl_context = self.ssl_context or trusting_context()
        super().connect()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection

    def urlopen(self, *args: Any, **how: Any) -> BaseHTTPResponse:  # noqa: ANN401  (urllib3's own)
        _thread.calls = True
        try:
            return self._repeated_if_stale(*args, **how)
        finally:
            _thread.calls = False

    def _repeated_if_stale(self, *args: Any, **how: Any) -> BaseHTTPResponse:  # noqa: ANN401
        try:
            return super().urlopen(*args, **how)
        except ProtocolError as error:
            if not isinstance(error.args[-1], _Stale):
                raise
        self._close_idle()  # what let one of them die did not spare the others
        return super().urlopen(*args, **how)

    def _close_idle(self) -> None:
        idle = []
        with suppress(Empty):
            while self.pool:
                idle.append(self.pool.get_nowait())
        for connection in idle:
            if connection:
                connection.close()
            self._put_conn(connection)


class _TlsPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _is_broken(error: OSError) -> bool:
    """Tell a connection that ended from one that is slow."""
    ended = ConnectionError | ssl.SSLEOFError | ssl.SSLZeroReturnError
    return isinstance(error, ended) or error.errno == errno.ETIMEDOUT
