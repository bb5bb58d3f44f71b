"""Kept-alive connections that do not wait for ever for the head of an answer, and survive their own death.

They go straight to their host: no variable of the environment, such as HTTPS_PROXY, sends them elsewhere.
"""

import errno
import logging
import ssl
import threading
from contextlib import contextmanager, suppress
from http.client import HTTPException
from queue import Empty
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ProtocolError
from urllib3.util.url import _encode_target

from memberships_export.adapters.http.certificates import trusting_context
from memberships_export.adapters.http.watchdog import TimeLimit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3._base_connection import BaseHTTPConnection

_KEPT = 64  # connections: one for each worker that a process may have
# They write whole URLs, with what is private and secret in the query, also as warnings.
_WRITE_URLS = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")
_thread = threading.local()


def open_pool(url: SplitResult) -> "Pool":
    """Make the pool for the host of a checked URL: certificates verified. Opens no connection yet.

    Only for calls that may be made twice: those that read, whatever their method, and those to AWS, which expect it.
    One is repeated once when a connection that was used before breaks before its answer. Nothing else is.
    """
    for name in _WRITE_URLS:
        logging.getLogger(name).addFilter(_is_not_ours)
    pool = _TlsPool if url.scheme == "https" else Pool
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
    _asked = False  # the next request was sent already

    def ask(self, *args: Any, **how: Any) -> None:  # noqa: ANN401  (those of a request)
        """Send a request ahead of the one that is made next."""
        self.request(*args, **how)
        self._asked = True

    def request(self, *args: Any, **how: Any) -> None:  # noqa: ANN401  (urllib3's own)
        if self._asked:
            self._asked = False
            return
        super().request(*args, **how)

    def close(self) -> None:
        self._asked = False
        super().close()

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


class Pool(HTTPConnectionPool):
    """The connections to one host."""

    ConnectionCls = _Connection

    def urlopen(self, *args: Any, ahead: "SentAhead | None" = None, **how: Any) -> BaseHTTPResponse:  # noqa: ANN401
        """Do what urllib3 does. `ahead`: this request as it was sent before."""
        _thread.calls, _thread.ahead = True, ahead
        try:
            return self._repeated_if_stale(*args, **how)
        finally:
            _thread.calls, _thread.ahead = False, None

    def send_ahead(self, method: str, target: str, **how: Any) -> "SentAhead | None":  # noqa: ANN401  (of a request)
        """Send a request whose answer is read later, by `urlopen` with the same request.

        None when no open connection is at hand, or it broke: nothing is waited for.
        """
        connection = self._get_conn()
        try:
            if isinstance(connection, _Connection) and connection.is_connected:
                connection.ask(method, _encode_target(target), **how)  # as `urlopen` does
                return SentAhead(self, connection)
        except (OSError, HTTPException):
            connection.close()
        except BaseException:
            connection.close()
            self._put_conn(connection)
            raise
        self._put_conn(connection)
        return None

    def take_back(self, connection: _Connection) -> None:
        """Close a connection with an answer that nobody wants."""
        connection.close()
        self._put_conn(connection)

    def _get_conn(self, timeout: float | None = None) -> "BaseHTTPConnection":
        ahead: SentAhead | None = getattr(_thread, "ahead", None)
        connection = ahead.take() if ahead else None
        return connection or super()._get_conn(timeout)

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


class SentAhead:
    """A request that was sent, on a connection that nobody else uses meanwhile."""

    def __init__(self, pool: Pool, connection: _Connection) -> None:
        self._pool = pool
        self._connection: _Connection | None = connection

    def take(self) -> _Connection | None:
        """Return the connection, to the first who asks for it."""
        connection, self._connection = self._connection, None
        return connection

    def drop(self) -> None:
        """Let nobody read the answer, if nobody has yet."""
        if connection := self.take():
            self._pool.take_back(connection)


class _TlsPool(Pool, HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _is_broken(error: OSError) -> bool:
    """Tell a connection that ended from one that is slow."""
    ended = ConnectionError | ssl.SSLEOFError | ssl.SSLZeroReturnError
    return isinstance(error, ended) or error.errno == errno.ETIMEDOUT
