"""Serves one of the shapes on this machine, for as long as a demo needs it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from memberships_export.entrypoints.cli.demo.shapes import Page, Shape


@contextmanager
def serving(shape: Shape, count: int) -> Iterator[str]:
    """Serve so many memberships, and give the URL."""
    server = _Server(shape, count)
    thread = Thread(target=server.serve_forever, args=(0.05,), name="demo API")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, shape: Shape, count: int) -> None:
        self.shape, self.count = shape, count
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes

    def do_GET(self) -> None:
        """Answer with a page."""
        url, shape = urlsplit(self.path), self.server.shape
        header, value = shape.credential
        if self.headers.get(header) != value:
            self._answer(401, Page({"error": "unauthorized"}))
        elif url.path != shape.path:
            self._answer(404, Page({"error": "not found"}))
        else:
            self._answer(200, shape.page(dict(parse_qsl(url.query)), self.server.count))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is given)
        """Say nothing: the demo has its own lines."""

    def _answer(self, status: int, page: Page) -> None:
        body = json.dumps(page.body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in page.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
