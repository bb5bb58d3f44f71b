"""What goes wrong becomes an RFC 9457 problem: a pure map from errors to answers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from memberships_export.domain.errors import (
    ExportError,
    FileGone,
    IdempotencyKeyReused,
    IllegalTransition,
    InvalidAddress,
    InvalidOptions,
    InvalidUserId,
    RateLimited,
    TransientError,
    UnknownExport,
)
from memberships_export.service.mail_events.webhook import ForgedEvents, MalformedEvents
from memberships_export.service.user.callers import IdentityUnavailable, InvalidToken

PROBLEM_JSON = "application/problem+json"
_BACK_SOON = 5  # seconds, when nobody knows better
_STATUS: Mapping[type[ExportError], HTTPStatus] = {
    UnknownExport: HTTPStatus.NOT_FOUND,
    IllegalTransition: HTTPStatus.CONFLICT,
    FileGone: HTTPStatus.GONE,
    InvalidAddress: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidOptions: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidUserId: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyKeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    ForgedEvents: HTTPStatus.FORBIDDEN,
    MalformedEvents: HTTPStatus.UNPROCESSABLE_ENTITY,
}


class WrongParameter(BaseModel):
    """One parameter or field that is not as it should be."""

    parameter: str
    message: str


class Problem(BaseModel):
    """An error as RFC 9457 writes it; `code` is the part for programs."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    instance: str | None = Field(default=None, description="Names this one occurrence; quote it to support.")
    export_id: str | None = None
    errors: list[WrongParameter] | None = None

    @classmethod
    def of(cls, status: HTTPStatus, code: str, detail: str) -> Self:
        """Make a problem; with the type about:blank, its title is that of the status."""
        return cls(title=status.phrase, status=status, code=code, detail=detail)

    def to_json(self) -> dict[str, Any]:
        """Leave out the members that say nothing."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    """A problem document and the headers that its answer needs, such as Retry-After."""

    problem: Problem
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_response(self, export_id: str | None) -> JSONResponse:
        """Write it as an HTTP answer. `export_id`: the export that was asked for, if any."""
        content = self.problem.model_copy(update={"export_id": export_id}).to_json()
        return JSONResponse(content, self.problem.status, dict(self.headers), media_type=PROBLEM_JSON)


class HttpRefusal(HTTPException):
    """A request that the API itself refuses."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        """`code` is for programs, `detail` tells people what to do."""
        super().__init__(status, detail, headers)
        self.code = code


def answer_to(error: Exception) -> ProblemAnswer | None:
    """Find the answer to an error; None for one that nobody foresaw."""
    match error:
        case RequestValidationError():
            return _wrong_parameters(error)
        case HTTPException():
            return _refused(error)
        case InvalidToken():
            return _unauthorized(error)
        case TransientError() | IdentityUnavailable():
            return _try_later(error)
        case ExportError():
            return _export_problem(error)
        case _:
            return None


def unforeseen(instance: str) -> ProblemAnswer:
    """Answer an error that nobody foresaw: nothing of it is told, `instance` finds it in the log."""
    detail = "Something went wrong on our side. If it happens again, tell support the instance of this problem."
    problem = Problem.of(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_server_error", detail)
    return ProblemAnswer(problem.model_copy(update={"instance": instance}))


def seconds(retry_after: float) -> str:
    """Write a Retry-After header: whole seconds, rounded up, never at once."""
    return str(max(1, math.ceil(retry_after)))


def _wrong_parameters(error: RequestValidationError) -> ProblemAnswer:
    wrong = [WrongParameter(parameter=_parameter(found["loc"]), message=found["msg"]) for found in error.errors()]
    detail = " ".join(f"{one.parameter}: {one.message.rstrip('.')}." for one in wrong)
    problem = Problem.of(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail)
    return ProblemAnswer(problem.model_copy(update={"errors": wrong}))


def _parameter(location: tuple[str | int, ...]) -> str:
    """Name a parameter as the client wrote it; trouble with the body as a whole (at some character) is `body`."""
    names = [part for part in location[1:] if isinstance(part, str)]
    return ".".join(names) or str(location[0])


def _refused(error: HTTPException) -> ProblemAnswer:
    status = HTTPStatus(error.status_code)
    code = error.code if isinstance(error, HttpRefusal) else status.name.lower()
    return ProblemAnswer(Problem.of(status, code, str(error.detail)), error.headers or {})


def _unauthorized(error: InvalidToken) -> ProblemAnswer:
    problem = Problem.of(HTTPStatus.UNAUTHORIZED, "invalid_token", error.reason)
    return ProblemAnswer(problem, {"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _try_later(error: TransientError | IdentityUnavailable) -> ProblemAnswer:
    """Say nothing of the machinery behind: its reasons are for the log."""
    known = error if isinstance(error, TransientError) else TransientError()
    detail = "The service cannot answer this at the moment. Nothing is lost: try again a little later."
    problem = Problem.of(HTTPStatus.SERVICE_UNAVAILABLE, known.code, detail)
    return ProblemAnswer(problem, {"Retry-After": seconds(known.retry_after or _BACK_SOON)})


def _export_problem(error: ExportError) -> ProblemAnswer | None:
    status = _STATUS.get(type(error))
    if status is None:
        return None
    # An unknown export and somebody else's must not be told apart, so the reason is always the same.
    reason = UnknownExport().reason if isinstance(error, UnknownExport) else error.reason
    headers = {"Retry-After": seconds(error.retry_after)} if isinstance(error, RateLimited) else {}
    wrong = [WrongParameter(parameter=option, message=problem) for option, problem in _wrong_options(error)]
    problem = Problem.of(status, error.code, reason).model_copy(update={"errors": wrong or None})
    return ProblemAnswer(problem, headers)


def _wrong_options(error: ExportError) -> Sequence[tuple[str, str]]:
    return error.problems if isinstance(error, InvalidOptions) else ()
