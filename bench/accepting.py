"""Accepting exports: requests a second of one API process, in turns with an empty route of the same server.

The client is a process of its own, which only sends prepared bytes and waits for whole answers.
"""

import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from threading import Event

from bench.processes import processor_seconds
from bench.rival_results import AcceptingRuns, Turn
from bench.service import Installation, running
from memberships_export.bootstrap.identity import mint_token
from memberships_export.settings import read_settings

CONNECTIONS = 8
_MODULE = "bench.accepting"
_END_OF_HEADER, _LENGTH = b"\r\n\r\n", b"content-length: "


def measure_accepting(folder: Path, requests: int = 2_000, turns: int = 5) -> AcceptingRuns:
    """Ask for exports of so many users in each turn, each user once: every request makes a record."""
    installation = Installation(folder / "accepting")
    installation.data.mkdir(mode=0o700, parents=True)
    with running(installation, "api") as service, _empty_server() as empty_port:
        ours: list[Turn] = []
        empty: list[Turn] = []
        processor: list[float] = []
        for turn in range(turns + 1):
            tokens = list(_tokens(installation, f"turn-{turn}", requests))
            before = processor_seconds(service.process.pid)
            ours.append(_load(folder, int(service.port), map(_export_request, tokens), b"202"))
            processor.append((processor_seconds(service.process.pid) - before) / requests)
            empty.append(_load(folder, empty_port, [_request("/empty")] * requests, b"200"))
    return AcceptingRuns(accepting=tuple(ours[1:]), empty=tuple(empty[1:]), processor=tuple(processor[1:]))


def _tokens(installation: Installation, users: str, count: int) -> Iterator[str]:
    settings = read_settings(installation.environ())
    for number in range(count):
        user_id = f"{users}-user-{number}"
        yield mint_token(settings, user_id, f"{user_id}@example.org", timedelta(hours=24))


def _request(path: str, *headers: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", "")).encode()


def _export_request(token: str) -> bytes:
    return _request("/memberships/export", f"Authorization: Bearer {token}", "Accept: application/json")


def _load(folder: Path, port: int, requests: Iterable[bytes], status: bytes) -> Turn:
    """Send the requests from a process of its own."""
    prepared = folder / "requests"
    prepared.write_text("\n".join(request.decode().replace("\r\n", "\t") for request in requests))
    command = [sys.executable, "-m", _MODULE, "load", str(port), str(prepared), status.decode()]
    return Turn(**json.loads(subprocess.run(command, capture_output=True, check=True).stdout))


@contextmanager
def _empty_server() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-m", _MODULE, "empty"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _serve_empty() -> None:
    """Serve one route that does nothing, as the API is served, until the process ends."""
    from fastapi import FastAPI  # noqa: PLC0415  (the client does not need it)

    from memberships_export.entrypoints.cli.serve.api_thread import ApiThread  # noqa: PLC0415
    from memberships_export.entrypoints.cli.serve.limits import Limits  # noqa: PLC0415

    app = FastAPI()

    async def empty() -> dict[str, str]:
        return {}

    app.add_api_route("/empty", empty)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio asks: is it TCP?
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    print(listening.getsockname()[1], flush=True)
    ended = Event()
    ApiThread(app, [listening], Limits(), {}).start(ended.set)
    ended.wait()


class _Connection:
    """One connection: a request, its answer, and the next."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._begun = 0.0
        self._answer = b""

    def send(self, request: bytes) -> None:
        self._begun, self._answer = time.perf_counter(), b""
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Read what came; tell whether the answer is whole."""
        came = self.socket.recv(65_536)
        assert came, f"The server closed the connection after {self._answer!r}."
        self._answer += came
        header, end, body = self._answer.partition(_END_OF_HEADER)
        return bool(end) and len(body) == int(header.lower().partition(_LENGTH)[2].partition(b"\r\n")[0])

    def ended(self, status: bytes) -> float:
        """Return the seconds that the answer took."""
        assert self._answer.startswith(b"HTTP/1.1 " + status), self._answer
        return time.perf_counter() - self._begun


def _run_load(port: int, requests: Sequence[bytes], status: bytes) -> Turn:
    """Keep all connections busy until every request is answered."""
    poll, waiting = select.epoll(), iter(requests)
    connections = {one.socket.fileno(): one for one in (_Connection(port) for _ in range(CONNECTIONS))}
    begun = time.perf_counter()
    took: list[float] = []
    for number, connection in connections.items():
        poll.register(number, select.EPOLLIN)
        connection.send(next(waiting))
    while len(took) < len(requests):
        for number, _ in poll.poll():
            connection = connections[number]
            if connection.receive():
                took.append(connection.ended(status))
                if request := next(waiting, None):
                    connection.send(request)
    seconds = time.perf_counter() - begun
    p99 = quantiles(took, n=100, method="inclusive")[98]
    return Turn(requests=len(requests), seconds=seconds, p50=median(took), p99=p99)


def _main(arguments: Sequence[str]) -> None:
    match arguments:
        case ["empty"]:
            _serve_empty()
        case ["load", port, prepared, status]:
            requests = [line.replace("\t", "\r\n").encode() for line in Path(prepared).read_text().split("\n")]
            print(json.dumps(asdict(_run_load(int(port), requests, status.encode()))))
        case _:
            raise SystemExit(f"python -m {_MODULE} empty | load PORT FILE STATUS")


if __name__ == "__main__":
    _main(sys.argv[1:])
