"""Each request has an id: the client's, if it can be one, else one made here. It is answered, kept and handed on."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from starlette.types import Message, Scope, Send

from memberships_export.domain.ids import is_request_id, trace_id
from memberships_export.logs.about import about

HEADER = "X-Request-Id"
_HEADER, _TRACE = HEADER.lower().encode(), b"traceparent"
_KNOWN = "memberships_export.request_id"  # where a scope keeps it
_BITS = 64  # short, and enough to be found in a month of logs

Headers = Iterable[tuple[bytes, bytes]]


def request_id_of(headers: Headers) -> str:
    """Return the id that a request brings, or make one. A header that comes twice says nothing."""
    said: dict[bytes, list[str]] = {}
    for name, value in headers:
        said.setdefault(name.lower(), []).append(value.decode("latin-1"))
    given, trace = (said.get(name, []) for name in (_HEADER, _TRACE))
    if len(given) == 1 and is_request_id(given[0]):
        return given[0]
    return (trace_id(trace[0]) if len(trace) == 1 else None) or _made_here()


def _made_here() -> str:
    """Make an id that nobody has to be unable to guess: so without a call to the kernel for each request."""
    return f"{random.getrandbits(_BITS):016x}"


@contextmanager
def identified(scope: Scope, send: Send) -> Iterator[Send]:
    """Name the request in all that is logged within, and in its answer. In an app within an app it is the same."""
    if scope["type"] != "http" or _KNOWN in scope:
        yield send
        return
    scope[_KNOWN] = request_id = request_id_of(scope["headers"])
    with about(request=request_id):
        yield _answering(request_id, send)


def _answering(request_id: str, send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [header for header in message.get("headers", ()) if header[0].lower() != _HEADER]
            message["headers"] = [*others, (_HEADER, request_id.encode())]
        await send(message)

    return answer
