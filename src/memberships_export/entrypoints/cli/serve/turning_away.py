"""What a client is answered whose request never reaches the API: the same form of error, with the same headers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from memberships_export.entrypoints.api.headers import secured
from memberships_export.entrypoints.api.problems import Problem, ProblemAnswer
from memberships_export.entrypoints.api.request_ids import HEADER

_BACK_SOON = {"Retry-After": "5"}


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Why a request is not read to its end."""

    status: HTTPStatus
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self, more_headers: Iterable[tuple[bytes, bytes]], request_id: str) -> bytes:
        """Write the whole answer; the connection ends with it."""
        problem = Problem.of(self.status, self.code, self.detail)
        response = secured(ProblemAnswer(problem, self.headers).to_response(None))
        lines = [b"HTTP/1.1 %d %s" % (self.status, self.status.phrase.encode())]
        response.headers.update({HEADER: request_id, "connection": "close"})
        lines += [b"%s: %s" % header for header in [*more_headers, *response.raw_headers]]
        return b"\r\n".join([*lines, b"", bytes(response.body)])


NOT_HTTP = TurnedAway(HTTPStatus.BAD_REQUEST, "bad_request", "This is no HTTP/1.1 request that can be read.")
LONG_URL = TurnedAway(HTTPStatus.REQUEST_URI_TOO_LONG, "uri_too_long", "The URL is too long.")
LONG_HEADER = TurnedAway(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "header_too_large", "The header of the request is too large: send less."
)
LONG_BODY = TurnedAway(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", "The request body is too long: send less."
)
SLOW_HEADER = TurnedAway(HTTPStatus.REQUEST_TIMEOUT, "header_too_slow", "The header did not arrive in time.")
SLOW_BODY = TurnedAway(HTTPStatus.REQUEST_TIMEOUT, "body_too_slow", "The request body did not arrive in time.")
NO_ROOM = TurnedAway(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "too_many_connections",
    "There are too many connections at the moment: try again a little later.",
    _BACK_SOON,
)
