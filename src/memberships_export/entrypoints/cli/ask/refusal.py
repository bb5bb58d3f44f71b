"""An answer of the API that is an error (RFC 9457), as the person at the command line needs to read it."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.entrypoints.cli.output import visible

_ADVICE: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: (
        "Make a new token in the folder (or with the settings) of the service:"
        " memberships-export token --user-id ID --email ADDRESS"
    ),
    HTTPStatus.FORBIDDEN: "Use a token that names a verified email address.",
    HTTPStatus.NOT_FOUND: "Your exports: memberships-export list",
    HTTPStatus.CONFLICT: "Where it is: memberships-export status ID",
    HTTPStatus.GONE: "Ask for a new one: memberships-export request",
}
_TROUBLE_OVER_THERE = "The log of the service says more."


class RefusedByService(CommandError):
    """The API answered with an error."""

    code = "refused"

    def __init__(self, text: str, *, status: int, code: object = None, retry_after: str | None = None) -> None:
        """`status` is that of HTTP, `code` the one of the problem, `retry_after` the header, in seconds."""
        super().__init__(text)
        self.status = status
        self.retry_after = retry_after
        if isinstance(code, str):
            self.code = code

    def facts(self) -> Mapping[str, object]:
        """Return what the service said beside its words."""
        known = {"status": self.status, "retryAfter": self.retry_after}
        return {name: value for name, value in known.items() if value is not None}


def refusal(status: int, headers: Mapping[str, str], content: bytes) -> RefusedByService:
    """Put an error answer into words: title, detail, what to do."""
    problem = _problem(content)
    title = problem.get("title") or f"The service answered with status {status}"
    lines = [f"{visible(title)} ({status})", visible(problem.get("detail") or ""), _advice(status, headers)]
    text = "\n".join(line for line in lines if line)
    return RefusedByService(text, status=status, code=problem.get("code"), retry_after=headers.get("Retry-After"))


def _problem(content: bytes) -> Mapping[str, object]:
    try:
        problem = json.loads(content)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _advice(status: int, headers: Mapping[str, str]) -> str:
    if seconds := headers.get("Retry-After"):
        return f"Try again in {visible(seconds)} seconds."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _TROUBLE_OVER_THERE
    return _ADVICE.get(status, "")
