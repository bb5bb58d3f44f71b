"""An HTTP server that keeps what it was asked, byte by byte, and answers as a function says.

In a test:      with RecordingApi(lambda seen: Reply(b"[]")) as api: ... api.url, api.seen
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rig.loopback import LoopbackHandler, LoopbackServer, OnLoopback

Framing = Literal["length", "chunks", "connection"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One request."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the one header of this name; None when there is none, or more than one."""
        values = [value for given, value in self.headers if given.lower() == name.lower()]
        return values[0] if len(values) == 1 else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, and what says where its body ends. `broken`: the connection ends instead."""

    body: bytes = b"[]"
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    broken: bool = False
    framing: Framing = "length"


class RecordingApi(OnLoopback):
    """The server."""

    def __init__(self, answer: Callable[[Seen], Reply] = lambda _: Reply()) -> None:
        self.seen: list[Seen] = []
        self.answer = answer
        self.lock = threading.Lock()
        self._server = _Server(self)
        self.url, self.port = self._server.url, self._server.server_port

    @property
    def accepted(self) -> int:
        """How many connections were made."""
        return self._server.accepted

    @property
    def closing(self) -> threading.Event:
        """Set when the end begins."""
        return self._server.closing


class _Server(LoopbackServer):
    def __init__(self, api: RecordingApi) -> None:
        self.api = api
        super().__init__(_Handler)


class _Handler(LoopbackHandler):
    server: _Server

    def do_GET(self) -> None:
        self._do()

    def do_POST(self) -> None:
        self._do()

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        seen = Seen(self.command, self.path, list(self.headers.items()), body)
        with self.server.api.lock:
            self.server.api.seen.append(seen)
        reply = self.server.api.answer(seen)
        if reply.broken:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.close_connection = reply.framing == "connection"
        for name, value in (*self._framed(reply), *reply.headers):
            self.send_header(name, value)
        self.end_headers()
        chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(reply.body), reply.body)
        self.wfile.write(chunk if reply.framing == "chunks" and reply.body else reply.body)

    def _framed(self, reply: Reply) -> Sequence[tuple[str, str]]:
        if reply.framing == "length":
            return [("Content-Length", str(len(reply.body)))]
        return [("Transfer-Encoding", "chunked")] if reply.framing == "chunks" else [("Connection", "close")]
