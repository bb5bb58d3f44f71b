"""This machine's own network: a free port, and the one server under all fakes."""

import socket
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler
from threading import Event, Thread
from typing import Any, Final, Self

_held: Final[list[socket.socket]] = []


def free_port() -> int:
    """Return a port where nobody listens, for a process that has to come back to the same one.

    It stays bound here, so the system gives it to nobody who asks for any; who names it, and sets SO_REUSEADDR as
    servers do, can listen at it.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    _held.append(held)
    return int(held.getsockname()[1])


class LoopbackServer(ThreadingHTTPServer):
    """Serves while it is entered, each connection in a thread of its own; its end cuts who is still connected.

    `accepted` counts connections. `closing` is set when the end begins: whoever answers slowly waits for it, not for
    a clock. Nothing outlives it: it waits for all of its threads.
    """

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, handler: type[BaseRequestHandler], *, port: int = 0, receive_buffer: int | None = None) -> None:
        self._receive_buffer = receive_buffer
        super().__init__(("127.0.0.1", port), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.accepted = 0
        self.closing = Event()
        self._connections: set[socket.socket] = set()
        self._thread = Thread(target=self.serve_forever, args=(0.01,), name=type(self).__name__)

    def server_bind(self) -> None:
        if self._receive_buffer:  # connections get what the listening socket has
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        super().server_bind()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        for connection in list(self._connections):
            with suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()
        self._thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (the library's own types)
        self.accepted += 1
        self._connections.add(request)  # here, in the thread that accepts, so that the end misses none
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:  # noqa: ANN401
        self._connections.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        if not isinstance(sys.exception(), OSError):  # a client that went away is part of the game
            super().handle_error(request, client_address)


class LoopbackHandler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1, keeps connections, and writes no log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are two writes

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is given)
        """Say nothing."""


class OnLoopback:
    """A fake with a server of its own: it serves while it is entered."""

    _server: LoopbackServer

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and cut whoever is still connected."""
        self._server.__exit__()
