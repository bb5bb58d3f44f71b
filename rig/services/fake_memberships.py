"""A memberships API that misbehaves on demand: a real HTTP server with a script of what each call gets.

In a test:          with FakeMemberships(rows=10, script=["status:503", "ok"]) as fake: ... fake.url, fake.calls
As a process:       python -m rig.services.fake_memberships --port 0 --rows 10 --log calls.jsonl --script status:503 ok
                    (prints its port; a port that refuses connections is a process that was ended)

A step is a name of FAULTS or PAGE_FAULTS, "ok", or a status: "status:503", "status:429:Retry-After=7". Each call takes
one step; a last step ending in "*" is for all calls from then on, otherwise they are "ok".
"""

import argparse
import base64
import json
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rig.loopback import LoopbackHandler, LoopbackServer, OnLoopback
from rig.services.membership_faults import FAULTS, PAGE_FAULTS, Call, Page
from rig.waiting import signals_to_end

Row = dict[str, Any]


def row(user_id: str, number: int) -> Row:
    """Make one membership; the same number gives the same one."""
    return {
        "id": number,
        "uuid": f"00000000-0000-4000-8000-{number:012d}",
        "name": ("Adult, monthly", 'Family "all in"', "Süd & Nord", "Punch card\n10 visits")[number % 4],
        "userId": user_id,
        "recurringPrice": f"{number % 90 + 10}.{number % 10}0",
        "validFrom": f"2024-{number % 12 + 1:02d}-01",
        "validUntil": None if number % 3 == 0 else f"2025-{number % 12 + 1:02d}-28",
        "state": ("active", "pending", "expired")[number % 3],
        "assignedBy": "front desk" if number % 5 == 0 else None,
        "paymentMethod": ("sepa", "card", None)[number % 3],
        "billingInterval": "monthly",
        "billingPeriods": 12,
    }


class FakeMemberships(OnLoopback):
    """The server. `rows` may be changed while it runs; a cursor keeps the bound its first page saw."""

    def __init__(
        self,
        rows: int,
        script: Sequence[str] = (),
        port: int = 0,
        log: Path | None = None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.rows = rows
        self.calls: list[Call] = []
        self.headers: list[dict[str, str]] = []
        self.targets: list[str] = []  # as they were sent
        self._script, self._log, self._lock = [_known(step) for step in script], log, threading.Lock()
        self._server = _Server(port, self)
        self.port, self.url = self._server.server_port, self._server.url
        if tls:
            self.url = self.url.replace("http:", "https:")
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def accepted(self) -> int:
        """How many connections were made."""
        return self._server.accepted

    def follow(self, *script: str) -> None:
        """Take these steps with the calls to come."""
        with self._lock:
            self._script = [_known(step) for step in script]

    def next_step(self, call: Call, headers: dict[str, str]) -> str:
        """Log the call and take the next step of the script."""
        with self._lock:
            self.calls.append(call)
            self.headers.append(headers)
            if self._log:
                with self._log.open("a", encoding="utf-8") as log:
                    log.write(json.dumps(asdict(call)) + "\n")
            if self._script and self._script[0].endswith("*"):
                return self._script[0][:-1]
            return self._script.pop(0) if self._script else "ok"

    def page(self, call: Call) -> Page:
        """Make the page the contract asks for."""
        after, bound = (int(part) for part in call.cursor.split("-")) if call.cursor else (0, self.rows)
        last = min(after + call.limit, bound)
        items = [row(call.user_id, number) for number in range(after + 1, last + 1)]
        return {"items": items, "nextCursor": f"{last}-{bound}" if last < bound else None, "total": bound}


def _known(step: str) -> str:
    known = ["ok", "status", *FAULTS, *PAGE_FAULTS]
    if step.removesuffix("*").partition(":")[0] not in known:
        raise ValueError(f"{step!r} is no step of a script; known: {', '.join(known)}")
    return step


class _Server(LoopbackServer):
    def __init__(self, port: int, fake: FakeMemberships) -> None:
        self.fake = fake
        super().__init__(_Handler, port=port)


class _Handler(LoopbackHandler):
    server: _Server

    def do_GET(self) -> None:
        url, fake = urlsplit(self.path), self.server.fake
        fake.targets.append(self.path)
        query = parse_qs(url.query)
        user_id = _subject(self.headers.get("Authorization", ""))
        if url.path != "/memberships" or user_id is None:
            self.answer(b'{"title": "Not found or no token"}', 404 if user_id else 401)
            return
        call = Call(user_id, query.get("cursor", [None])[0], int(query.get("limit", ["100"])[0]))
        self._perform(fake.next_step(call, dict(self.headers)), call)

    def _perform(self, step: str, call: Call) -> None:
        name, _, detail = step.partition(":")
        if name == "status":
            status, _, header = detail.partition(":")
            told = b'{"title": "As scripted", "detail": "canary@example.org"}'
            sound = json.dumps(self.server.fake.page(call)).encode()
            self.answer(sound if status == "200" else told, int(status), header)
        elif name in FAULTS:
            self.close_connection = True
            FAULTS[name](self, json.dumps(self.server.fake.page(call)).encode())
        else:
            page = self.server.fake.page(call)
            spoiled = page if name == "ok" else PAGE_FAULTS[name](page, call)
            self.answer(json.dumps(spoiled).encode())

    @property
    def closing(self) -> threading.Event:
        return self.server.closing

    def send(self, data: bytes) -> None:
        self.wfile.write(data)

    def answer(self, body: bytes, status: int = 200, header: str = "", length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if self.close_connection:  # or a client might take the connection for a kept one just before it ends
            self.send_header("Connection", "close")
        if header:
            self.send_header(*header.split("=", 1))
        self.end_headers()
        self.wfile.write(body)

    def chunked(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def reset(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def _subject(authorization: str) -> str | None:
    """Read the user from the token, unverified: this server believes everybody."""
    try:
        payload = authorization.removeprefix("Bearer ").split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(payload + "=="))["sub"])
    except (IndexError, ValueError, KeyError):
        return None


@contextmanager
def closed_port() -> Iterator[int]:
    """Hold a port of this machine that refuses connections, and that nobody else can get meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, but not listening
        yield held.getsockname()[1]


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--script", nargs="*", default=[])
    options = parser.parse_args()
    until_told_to_end = signals_to_end()
    with FakeMemberships(options.rows, options.script, options.port, options.log) as fake:
        sys.stdout.write(f"{fake.port}\n")
        sys.stdout.flush()
        until_told_to_end()


if __name__ == "__main__":
    main()
