"""What an answer of SendGrid proves about one mail."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPMessage

from memberships_export.adapters.http.retry_after import retry_after
from memberships_export.adapters.mail.record_text import fit_for_record
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import SendResult

_A_DAY = 86_400.0
_TOO_LARGE = 413  # its name in HTTPStatus depends on the version of Python
_MESSAGE_ID = re.compile(r"[\w.-]{1,200}", re.ASCII)
_NOT_FOR_GOOD = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,  # also "Maximum credits exceeded"
        HTTPStatus.FORBIDDEN,  # also a temporary block
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        _TOO_LARGE,  # a link instead of the file may pass
    }
)


@dataclass(frozen=True, slots=True)
class Answer:
    """SendGrid's answer; of a long `text`, the beginning."""

    status: int
    headers: HTTPMessage
    text: bytes


def result_of(answer: Answer, *, whole: bool, now: datetime, key: str) -> SendResult:
    """Judge an answer. `whole`: the last byte of the request had left. `key` must not come back in the detail."""
    if answer.status == HTTPStatus.ACCEPTED and whole:
        return SendResult(evidence=Evidence.ACCEPTED, message_id=_message_id(answer))
    detail = fit_for_record(f"HTTP {answer.status}{_messages(answer.text)}", key)
    if not _refuses(answer.status, whole=whole):
        return SendResult(evidence=Evidence.DOUBTFUL, detail=detail)
    return SendResult(
        evidence=Evidence.REFUSED,
        detail=detail,
        permanent=_is_client_error(answer.status) and answer.status not in _NOT_FOR_GOOD,
        too_large=answer.status == _TOO_LARGE,
        retry_after=_pause(answer, now),
    )


def _refuses(status: int, *, whole: bool) -> bool:
    """Tell what proves that the mail was not accepted. Any error proves it of a mail that was cut off."""
    if not whole and status >= HTTPStatus.MULTIPLE_CHOICES:
        return True
    return _is_client_error(status) or status == HTTPStatus.SERVICE_UNAVAILABLE


def _is_client_error(status: int) -> bool:
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def _message_id(answer: Answer) -> str | None:
    name = answer.headers.get("X-Message-Id", "")
    return name if _MESSAGE_ID.fullmatch(name) else None


def _messages(text: bytes) -> str:
    """Read errors[].message, as far as the answer has such a thing."""
    try:
        errors = json.loads(text)["errors"]
        messages = [str(error["message"]) for error in errors]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return f": {'; '.join(messages)}" if messages else ""


def _pause(answer: Answer, now: datetime) -> float | None:
    """How long SendGrid asks us to stay away: Retry-After, or for 429 the time at which its rate limit starts anew."""
    asked = retry_after(answer.headers.get("Retry-After"), now)
    reset = answer.headers.get("X-RateLimit-Reset", "").strip()  # epoch seconds; comes with every answer
    if asked is None and answer.status == HTTPStatus.TOO_MANY_REQUESTS and reset.isascii() and reset.isdecimal():
        return min(max(float(reset) - now.timestamp(), 0.0), _A_DAY)
    return asked
