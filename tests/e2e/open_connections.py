"""A server on loopback with an app for trying it, and clients that write bytes as they like."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from memberships_export.entrypoints.api.problem_route import ProblemRoute
from memberships_export.entrypoints.cli.serve.api_thread import ApiThread
from memberships_export.entrypoints.cli.serve.limits import Limits
from rig.waiting import PATIENCE_SECONDS

PATIENCE = PATIENCE_SECONDS  # until a client takes a server for one that never answers
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /length HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Answers:
    """The app: `/` answers, `/length` reads the body, `/wait` answers when `go_on` is set, `/flood` never ends."""

    go_on: threading.Event = field(default_factory=threading.Event)
    cut: threading.Event = field(default_factory=threading.Event)
    working: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    lengths: list[int] = field(default_factory=list)

    def app(self) -> FastAPI:
        app = FastAPI()
        router = APIRouter(route_class=ProblemRoute)
        router.add_api_route("/", lambda: "here", methods=["GET", "HEAD"])
        router.add_api_route("/length", self._length, methods=["POST"])
        router.add_api_route("/wait", self._wait)
        router.add_api_route("/flood", self._flood)
        app.include_router(router)
        return app

    async def _length(self, request: Request) -> int:
        self.working.release()
        self.lengths.append(len(await request.body()))
        return self.lengths[-1]

    def _wait(self) -> str:
        self.working.release()
        self.go_on.wait(PATIENCE)
        return "waited"

    def _flood(self) -> Response:
        def endless() -> Iterator[bytes]:
            while not self.go_on.is_set():
                yield b"x" * 65536

        return _Cut(endless(), self.cut)


class _Cut(StreamingResponse):
    """Tells when it has ended."""

    def __init__(self, content: Iterator[bytes], ended: threading.Event) -> None:
        super().__init__(content)
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._ended.set()


@dataclass(frozen=True)
class Server:
    port: int
    answers: Answers

    @contextmanager
    def client(self, sent: bytes = b"") -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as client:
            client.sendall(sent)
            yield client

    def answer(self, sent: bytes) -> bytes:
        """Send a request and read until the server closes the connection."""
        with self.client() as client:
            with suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(sent)
            return until_closed(client)

    def busy(self, client: socket.socket) -> None:
        """Have a request of this client under way."""
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        assert self.answers.working.acquire(timeout=PATIENCE)


@contextmanager
def serving(limits: Limits, headers: Mapping[str, str] = MappingProxyType({})) -> Iterator[Server]:
    with _served(socket.create_server(("127.0.0.1", 0)), limits, headers) as server:
        yield server


@contextmanager
def served_late(limits: Limits, sent: bytes) -> Iterator[socket.socket]:
    """Yield a client whose first bytes are there before the server: however short its limits, they are in time."""
    listening = socket.create_server(("127.0.0.1", 0))
    with socket.create_connection(listening.getsockname(), PATIENCE) as client:
        client.sendall(sent)
        with _served(listening, limits, {}):
            yield client


@contextmanager
def _served(listening: socket.socket, limits: Limits, headers: Mapping[str, str]) -> Iterator[Server]:
    answers = Answers()
    thread = ApiThread(answers.app(), [listening], limits, headers)
    ended = threading.Event()
    thread.start(ended.set)
    try:
        yield Server(listening.getsockname()[1], answers)
    finally:
        answers.go_on.set()
        thread.stop()  # it waits for a second or two, which says more about the machine than about the server
        assert ended.wait(PATIENCE)


def until_closed(client: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionResetError):
        while chunk := client.recv(65536):
            received += chunk
    return received


def until(client: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        chunk = client.recv(65536)
        assert chunk, f"The connection was closed after {received!r}"
        received += chunk
    return received


def status(answer: bytes) -> int:
    assert answer, "The connection was closed without an answer"
    return int(answer.split(b" ", 2)[1])
