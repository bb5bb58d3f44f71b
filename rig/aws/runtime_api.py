"""The Runtime API of one execution environment: how the process of a Lambda function gets events and gives answers."""

import json
import time
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

from rig.loopback import LoopbackHandler, LoopbackServer

_VERSION = "/2018-06-01/runtime"


class FunctionFailed(Exception):
    """An invocation that came to nothing. `kind` is the error's type as the function's process named it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


@dataclass(frozen=True)
class Invocation:
    """One event on its way, and where its answer goes. The clock runs from the moment the process takes it."""

    event: Any
    limit_seconds: float
    request_id: str = field(default_factory=lambda: str(uuid4()))
    answer: "Future[Any]" = field(default_factory=Future)


class RuntimeApi:
    """The server. `ready` ends when the process asks for its first event, or says that it cannot start."""

    def __init__(self, function_arn: str) -> None:
        self.function_arn = function_arn
        self.ready: Future[None] = Future()
        self.waiting: SimpleQueue[Invocation | None] = SimpleQueue()
        self.current: Invocation | None = None
        self.deadline = 0.0  # of the current one, in seconds since 1970
        self._server = _Server(self)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._server.__enter__()

    def fail(self, error: FunctionFailed) -> None:
        """End what is under way: the start, or the current invocation."""
        for future in (self.ready, self.current.answer if self.current else None):
            if future is not None:
                with suppress(InvalidStateError):  # it ended before
                    future.set_exception(error)

    def close(self) -> None:
        """End the server, and a request that waits for an event."""
        self.waiting.put(None)
        self._server.__exit__()


class _Server(LoopbackServer):
    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        super().__init__(_Handler)


class _Handler(LoopbackHandler):
    server: _Server

    def do_GET(self) -> None:
        api = self.server.api
        if self.path != f"{_VERSION}/invocation/next":
            return self._answer(HTTPStatus.NOT_FOUND)
        with suppress(InvalidStateError):  # only the first one ends the start
            api.ready.set_result(None)
        invocation = api.waiting.get()
        if invocation is None:  # the environment is being closed
            self.close_connection = True
            return None
        api.current = invocation
        api.deadline = time.time() + invocation.limit_seconds
        headers = {  # all of them: the native client crashes when the trace id or the content type is missing
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(api.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": api.function_arn,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
            "Content-Type": "application/json",
        }
        return self._answer(HTTPStatus.OK, json.dumps(invocation.event).encode(), headers)

    def do_POST(self) -> None:
        api, invocation = self.server.api, self.server.api.current
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
        body = _chunks(self.rfile) if chunked else self.rfile.read(int(self.headers.get("Content-Length", "0")))
        own = f"{_VERSION}/invocation/{invocation.request_id}" if invocation else None
        if own and invocation and self.path == f"{own}/response":
            with suppress(InvalidStateError):  # too late: the time was over
                invocation.answer.set_result(json.loads(body))
        elif self.path in (f"{own}/error", f"{_VERSION}/init/error"):
            error = json.loads(body)
            api.fail(FunctionFailed(error["errorType"], error["errorMessage"]))
        else:
            return self._answer(HTTPStatus.NOT_FOUND)
        return self._answer(HTTPStatus.ACCEPTED, b'{"status": "OK"}')

    def _answer(self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _chunks(stream: Any) -> bytes:  # noqa: ANN401  (a socket's file)
    parts = []
    while size := int(stream.readline().split(b";")[0], 16):
        parts.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(parts)
