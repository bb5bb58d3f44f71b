"""`/metrics` on a port of its own, for Prometheus: never among the routes of users.

Of several processes on one data folder one answers for all; when it dies, another takes over within a second.
"""

import logging
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from memberships_export.domain.errors import ExportError
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.settings import variable

log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0  # between two tries to take over
_REFRESH_SECONDS = 5.0
_AT_ONCE = 8  # answers; more connections are closed
_PATIENCE_SECONDS = 5.0  # for a request that does not come


class Page(Protocol):
    """What is answered, and the right to do so."""

    def take_turn(self) -> bool:
        """Take the right to answer, if nobody has it. Raises StorageUnavailable."""
        ...

    def give_up_turn(self) -> None:
        """Leave it to another process."""
        ...

    def refresh(self) -> None:
        """Read anew what takes time."""
        ...

    def __call__(self, accepts: str) -> tuple[bytes, str]:
        """Return the text and its content type, for a header Accept."""
        ...


class MetricsPort:
    """Answers on the port, or waits for its turn."""

    def __init__(self, page: Page, host: str, port: int) -> None:
        """Open nothing yet."""
        self._page = page
        self._address = (host, port)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._server: _Server | None = None
        self._told = False

    def start(self) -> None:
        """Take the port if it is our turn. Raises CommandError when something else has it, StorageUnavailable."""
        if self._page.take_turn():
            host, port = self._address
            try:
                self._open()
            except OSError as error:
                self._page.give_up_turn()
                raise CommandError(
                    f"Cannot listen on {host} port {port} for /metrics: {error.strerror or error}. Stop what listens "
                    f"there, or choose another port with {variable('metrics_port')}."
                ) from error
        self._thread.start()

    def stop(self) -> None:
        """Close the port; an answer under way is not waited for."""
        self._stop.set()
        self._thread.join(_LOOK_SECONDS)

    def _open(self) -> None:
        self._server = _Server(self._address, self._page)
        log.info("port=%d event=metrics_answered", self._address[1])

    def _run(self) -> None:
        while self._server is None and not self._stop.wait(_LOOK_SECONDS):
            self._try_to_take_over()
        if self._server is None:
            return
        answering = threading.Thread(target=self._server.serve_forever, name="metrics-port", daemon=True)
        self._refresh()
        answering.start()
        while not self._stop.wait(_REFRESH_SECONDS):
            self._refresh()
        self._server.shutdown()
        self._server.server_close()
        self._page.give_up_turn()

    def _try_to_take_over(self) -> None:
        try:
            if self._page.take_turn():
                self._open()
        except (OSError, ExportError) as error:
            self._page.give_up_turn()
            if not self._told:
                log.warning("port=%d event=metrics_not_answered reason=%s", self._address[1], error)
            self._told = True

    def _refresh(self) -> None:
        try:
            self._page.refresh()
        except Exception:
            log.exception("event=internal_error")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], page: Callable[[str], tuple[bytes, str]]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.page = page
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the look-up of our own name, which may take long."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Answer in a thread, of which there are few."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Answer, then let others."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave it: whoever asked has gone."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "memberships-export", ""
    timeout = _PATIENCE_SECONDS

    def do_GET(self) -> None:
        """Answer with the numbers."""
        if self.path.partition("?")[0] != "/metrics":
            self._answer(HTTPStatus.NOT_FOUND, b"Only /metrics is here.\n")
            return
        try:
            text, content_type = self.server.page(self.headers.get("Accept", ""))
        except Exception:
            log.exception("event=internal_error")
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, b"The log of the service says what is wrong.\n")
            return
        self._answer(HTTPStatus.OK, text, content_type)

    def do_HEAD(self) -> None:
        """Answer as GET does, without the text."""
        self.do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request that we know in plain words; a method that we do not have is 405, not 501."""
        del explain
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self.close_connection = True
        self._answer(status, f"{message if status == code else status.phrase}\n".encode())

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name of http.server)
        """Write no access log: a scrape every few seconds would be most of it."""
