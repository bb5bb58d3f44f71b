"""What the OpenAPI document says of each answer; the same for all routes, so it is written once."""

from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute

from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.formats import every_format
from memberships_export.entrypoints.api import examples
from memberships_export.entrypoints.api.problems import PROBLEM_JSON, Problem
from memberships_export.entrypoints.api.schemas import ExportView

Responses = dict[int | str, dict[str, Any]]
JSON = "application/json"

_RETRY_AFTER = {"description": "Seconds until it is worth asking again.", "schema": {"type": "integer", "minimum": 1}}
_STARTED = {
    "Location": {"description": "Path of the export.", "schema": {"type": "string", "format": "uri-reference"}},
    "Retry-After": _RETRY_AFTER | {"description": "Seconds until it is worth asking; absent once it is finished."},
    "Cache-Control": {"description": "Always `no-store`.", "schema": {"type": "string"}},
    "Vary": {"description": "`Accept-Language`: it counts where no language is said.", "schema": {"type": "string"}},
}
_OFFERED = {
    "Content-Language": {"description": "Language of the labels.", "schema": {"type": "string"}},
    "Vary": _STARTED["Vary"],
}
_CHALLENGE = {"description": "`Bearer`, with the error if there was a token.", "schema": {"type": "string"}}
_FILE = {
    "Content-Disposition": {"description": "`attachment` with the file's name.", "schema": {"type": "string"}},
    "Content-Length": {"description": "Bytes of the file.", "schema": {"type": "integer"}},
    "Repr-Digest": {
        "description": "SHA-256 of the file (RFC 9530); `file.sha256` of the export is the same in hexadecimal digits.",
        "schema": {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
    },
}
_SIGNED_URL = {"Location": {"description": "A signed URL.", "schema": {"type": "string", "format": "uri"}}}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": _CHALLENGE},
    409: {"Retry-After": _RETRY_AFTER | {"description": "Seconds until the file may be ready; else absent."}},
    429: {"Retry-After": _RETRY_AFTER},
    503: {"Retry-After": _RETRY_AFTER},
}
_MEANING = {
    400: ("bad_request", "The request body cannot be read."),
    401: ("invalid_token", "The token is missing, wrong or expired."),
    403: ("email_not_verified", "Not allowed; the detail says what would be."),
    404: ("unknown_export", "There is no such export, or it is not yours."),
    409: ("illegal_transition", "The export's status does not allow this."),
    410: ("file_gone", "The file has expired, is damaged (have it sent again), or was never made."),
    413: ("body_too_large", "The request body is longer than 1 MiB."),
    422: ("invalid_request", "A parameter, the body or the token's address is not as it should be."),
    429: ("rate_limited", "Too many exports within the hour."),
    503: ("storage_unavailable", "Something the service needs does not answer; nothing is lost."),
}


def accepted() -> Responses:
    """Document a new export, or the one that answers the wish already."""
    known = _shown("An export that answers this already: no second one.", _STARTED, running=examples.running())
    return {
        202: _shown("Accepted: the work goes on by itself.", _STARTED, queued=examples.queued()),
        200: {"model": ExportView, **known},
    }


def listed() -> Responses:
    """Document the list with a running and a completed export."""
    items = [examples.shown(export) for export in (examples.running(), examples.completed())]
    return {200: {"description": "Your exports, newest first.", "content": {JSON: {"example": {"items": items}}}}}


def offered() -> Responses:
    """Document what may be chosen."""
    return {200: {"description": "What may be chosen.", "headers": _OFFERED}}


def status() -> Responses:
    """Document one export in any status."""
    headers = {"Retry-After": _STARTED["Retry-After"]}
    return {
        200: _shown(
            "The export.",
            headers,
            running=examples.running(),
            waiting=examples.waiting(),
            completed=examples.completed(),
            failed=examples.failed(),
        )
    }


def cancelled() -> Responses:
    """Document an export that was stopped."""
    return {200: _shown("Cancelled.", {}, cancelled=examples.cancelled())}


def resent() -> Responses:
    """Document an export on its way to be mailed again."""
    return {202: _shown("It will be mailed again.", {"Retry-After": _RETRY_AFTER}, queued=examples.resent())}


def erased() -> Responses:
    """Document what is kept of an export that was erased."""
    return {200: {"description": "Erased.", "content": {JSON: {"example": examples.erased()}}}}


def file() -> Responses:
    """Document a file, or where it is."""
    content = {form.media_type: {"schema": _content_of(form.media_type)} for form in every_format()}
    return {
        200: {"description": "The file, in the format that was asked for.", "headers": _FILE, "content": content},
        307: {"description": "The file is at this URL for at most 60 seconds.", "headers": _SIGNED_URL},
    }


def problems(*statuses: int) -> Responses:
    """Document answers that are problems, each with its headers and an example."""
    return {status: _problem(status, *_MEANING[status]) for status in statuses}


def operation_id(route: APIRoute) -> str:
    """Name an operation after its function, as generated clients would."""
    first, *rest = route.name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def with_problem_type(document: dict[str, Any]) -> dict[str, Any]:
    """Put one problem schema under its own media type. Changes in place.

    FastAPI takes the media type of the route, and other routers bring schemas of their own.
    """
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    for operation in operations:
        for response in operation["responses"].values():
            content = response.get("content", {})
            if PROBLEM_JSON in content and "Problem" in document["components"]["schemas"]:
                content.pop(JSON, None)
                content[PROBLEM_JSON]["schema"] = {"$ref": "#/components/schemas/Problem"}
    return document


def without_bodies_of_heads(document: dict[str, Any]) -> dict[str, Any]:
    """Take away what FastAPI documents of bodies that answers to HEAD do not have. Changes in place."""
    for path in document["paths"].values():
        for response in path.get("head", {}).get("responses", {}).values():
            response.pop("content", None)
    return document


def _content_of(media_type: str) -> dict[str, str]:
    """Describe a file. What is text is a string: generated clients take `binary` for bytes, and break on the text."""
    text = media_type.startswith("text/")
    return {"type": "string"} if text else {"type": "string", "format": "binary"}


def _shown(description: str, headers: dict[str, Any], **exports: Export) -> dict[str, Any]:
    named = {name: {"value": examples.shown(export)} for name, export in exports.items()}
    return {"description": description, "headers": headers, "content": {JSON: {"examples": named}}}


def _problem(status: int, code: str, meaning: str) -> dict[str, Any]:
    problem = Problem.of(HTTPStatus(status), code, meaning)
    return {
        "model": Problem,
        "description": f"{problem.title}. {meaning}",
        "headers": _HEADERS.get(status, {}),
        "content": {PROBLEM_JSON: {"example": problem.to_json()}},
    }
