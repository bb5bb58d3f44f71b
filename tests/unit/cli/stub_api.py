"""A loopback stand-in for the export API: gives prepared answers, remembers what was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rig.loopback import LoopbackHandler, LoopbackServer

EXPORT_ID = "8515ac16-6d6b-42ac-a3e5-139a99d0f831"


@dataclass(frozen=True)
class Prepared:
    """One answer."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class StubApi:
    """Answers are given in order; the last one again and again."""

    url: str
    answers: list[Prepared] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def will(self, *bodies: object, status: int = 200, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        texts = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
        self.answers.extend(Prepared(text, status, named) for text in texts)

    def next_answer(self) -> Prepared:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def an_answer(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  (fields of the API's JSON)
    """A running export as the API shows it."""
    answer: dict[str, Any] = {
        "exportId": EXPORT_ID,
        "status": "running",
        "statusText": "Export in progress",
        "stage": "fetch",
        "progress": {"rows": 400, "total": 2000, "percent": 20, "pages": 2},
        "email": "member@example.org",
        "attempts": 1,
        "requestedAt": "2026-03-01T12:00:00Z",
        "finishedAt": None,
        "nextAttemptAt": None,
        "trouble": None,
        "error": None,
        "file": None,
        "delivery": None,
    }
    return answer | changes


def a_completed_answer() -> dict[str, Any]:
    """A completed export as the API shows it."""
    file = {"name": "memberships-2026-03-01.csv", "rows": 2000, "bytes": 90_000, "sha256": "ab" * 32}
    return an_answer(
        status="completed",
        statusText="Export completed",
        stage=None,
        progress={"rows": 2000, "total": 2000, "percent": 100, "pages": 10},
        finishedAt="2026-03-01T12:00:02Z",
        file=file | {"expiresAt": "2026-03-08T12:00:02Z"},
        delivery={"status": "accepted", "possibleDuplicate": False, "detail": None},
    )


@contextmanager
def stub_api() -> Iterator[StubApi]:
    """Listen on a free port while the block runs."""
    api = StubApi(url="")

    class Handler(LoopbackHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            api.asked.append(Asked(self.command, self.path, dict(self.headers), body))
            prepared = api.next_answer()
            self.send_response(prepared.status)
            for name, value in prepared.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(prepared.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(prepared.body)

        do_GET = do_POST = _answer

    with LoopbackServer(Handler) as server:
        api.url = server.url
        yield api
