"""HTTP for the fakes: one request as it was received, one answer, and the server that turns one into the other."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from rig.loopback import LoopbackHandler, LoopbackServer


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it was received. `query` has the last value of each name; `json` is the body, if it is JSON."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes = b""

    def number(self, name: str, default: int) -> int:
        """Return a number of the query; what is none counts as absent."""
        text = self.query.get(name, "")
        return int(text) if text.isdecimal() else default

    @property
    def json(self) -> Any:  # noqa: ANN401  (any JSON)
        """The body, which must be JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body, which must be a form."""
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: JSON, or bytes as they are."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiServer(LoopbackServer):
    """Hands each request to `answer`."""

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        self.answer = answer
        super().__init__(_Handler)


def basic(name: str, password: str) -> str:
    """Return what `Authorization` must be (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class _Handler(LoopbackHandler):
    server: ApiServer

    def do_GET(self) -> None:
        self._perform()

    def do_POST(self) -> None:
        self._perform()

    def _perform(self) -> None:
        reply = self.server.answer(self._asked())
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _asked(self) -> Asked:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        body = self.rfile.read(int(headers.get("content-length", "0")))
        return Asked(self.command, unquote(url.path), query, headers, body)
