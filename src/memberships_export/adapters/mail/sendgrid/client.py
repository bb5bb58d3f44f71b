"""Mails through SendGrid's v3 Mail Send: one POST per call, and what it proved.

SendGrid has no idempotency key, so what matters most is whether the last byte of the request had left when something
broke. http.client shows that step by step; a pool with retries and redirects is made to hide it. Each mail gets a fresh
connection: on a kept one that SendGrid closed meanwhile, a mail that never arrived would look like one not answered.
"""

import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from io import BufferedReader
from typing import Any

from memberships_export.adapters.http.certificates import trusting_context
from memberships_export.adapters.http.outgoing_url import checked_url
from memberships_export.adapters.http.watchdog import TimeLimit
from memberships_export.adapters.mail.not_prepared import not_prepared
from memberships_export.adapters.mail.refusal import tell_refusal
from memberships_export.adapters.mail.sendgrid.answer import Answer, result_of
from memberships_export.adapters.mail.sendgrid.request import BODY_LIMIT, Unsendable, request_body
from memberships_export.domain.errors import TransientError
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import NOT_WANTED, Mail, SendResult
from memberships_export.domain.mail.sender import Sender
from memberships_export.ports import Clock
from memberships_export.version import USER_AGENT

_PIECE = 32 * 1024
_ANSWER_LIMIT = 16 * 1024
# Of us, not of one mail: the key, the account, a login on the way.
_REFUSALS = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
    }
)
_EARLY_ANSWER_SECONDS = 1.0  # an answer given while we were still writing is here already, or will never be
_KEY = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendGridSettings:
    """Where and as whom to send. `api_key` is asked for each mail, so a key can be replaced while the service runs."""

    base_url: str
    sender: Sender
    api_key: Callable[[], str] = field(repr=False)
    connect_seconds: float = 5
    read_seconds: float = 25  # of silence
    total_seconds: float = 50  # from the first byte to the answer; shorter than a worker's lease


class SendGrid:
    """A Mailer. No retries, no redirects; safe to share between threads."""

    repeatable = False

    def __init__(self, settings: SendGridSettings, clock: Clock = lambda: datetime.now(UTC)) -> None:
        """Raise ValueError when the URL is not one to send a key to."""
        self._url = checked_url("MEMBERSHIPS_EXPORT_SENDGRID_URL", settings.base_url)
        self._path = self._url.path.rstrip("/") + "/v3/mail/send"
        self._settings = settings
        self._clock = clock

    def send(self, mail: Mail, still_wanted: Callable[[], bool] = lambda: True) -> SendResult:
        """Try to hand over one mail; everything that can happen is a SendResult."""
        try:
            content = request_body(mail, self._settings.sender)
            key = _checked_key(self._settings.api_key())
        except Unsendable as error:
            return SendResult(evidence=Evidence.REFUSED, detail=str(error), permanent=True)
        except TransientError as error:
            return SendResult(evidence=Evidence.REFUSED, detail=error.reason, retry_after=error.retry_after)
        except Exception as error:  # noqa: BLE001  (whatever it was, nothing has left: nobody is to doubt that)
            return not_prepared(error)
        if len(content) >= BODY_LIMIT:
            detail = f"The mail is {len(content)} bytes, and SendGrid takes less than {BODY_LIMIT}."
            return SendResult(evidence=Evidence.REFUSED, detail=detail, too_large=True)
        return self._post(_Body(content), key, still_wanted)

    def _post(self, body: "_Body", key: str, still_wanted: Callable[[], bool]) -> SendResult:
        try:
            with closing(self._connection()) as connection:
                connection.connect()
                if not still_wanted():  # a process may have been stopped for an hour right before
                    return SendResult(evidence=Evidence.REFUSED, detail=NOT_WANTED)
                answer = self._exchange(connection, body, key)
        except Exception as error:  # noqa: BLE001  (what counts is how much had left)
            if isinstance(error, ssl.SSLCertVerificationError):
                tell_refusal("none", f"its certificate cannot be trusted: {error.verify_message}")
            return _unanswered(error, body)
        result = result_of(answer, whole=body.left, now=self._clock(), key=key)
        if answer.status in _REFUSALS:
            tell_refusal(answer.status, result.detail or "")
        return result

    def _connection(self) -> HTTPConnection:
        host, port, timeout = self._url.hostname or "", self._url.port, self._settings.connect_seconds
        if self._url.scheme == "https":
            return HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return HTTPConnection(host, port, timeout=timeout)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Take those of the machine with the first mail, unless another call has read them."""
        return trusting_context()

    def _exchange(self, connection: HTTPConnection, body: "_Body", key: str) -> Answer:
        connection.sock.settimeout(self._settings.read_seconds)
        connection.response_class = _Response
        with TimeLimit(connection.sock, self._settings.total_seconds):
            try:
                connection.request("POST", self._path, body=iter(body), headers=_headers(key, body))
            except OSError:
                connection.sock.settimeout(min(self._settings.read_seconds, _EARLY_ANSWER_SECONDS))
            with connection.getresponse() as response:
                return _read(response)


class _Body:
    """The request body in pieces. `left` is true once the kernel has taken the last one."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.left = False

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self.content), _PIECE):
            yield self.content[start : start + _PIECE]
        self.left = True  # http.client asks for more only after sendall of the last piece came back


class _Response(HTTPResponse):
    """An answer whose first line says all: where the connection breaks behind it, it is at its end.

    One that is cut because it drips breaks too, if its next byte comes before we see the end.
    """

    fp: "_Lines"

    def __init__(self, *args: Any, **how: Any) -> None:  # noqa: ANN401  (those of http.client)
        super().__init__(*args, **how)
        self.fp = _Lines(self.fp.detach())


class _Lines(BufferedReader):
    begun = False

    def readline(self, size: int | None = -1) -> bytes:
        try:
            line = super().readline(size)
        except OSError:
            if self.begun:
                return b""
            raise
        self.begun = True
        return line


def _headers(key: str, body: _Body) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body.content)),  # without it, http.client would send chunks
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": USER_AGENT,
        "Connection": "close",
    }


def _read(response: HTTPResponse) -> Answer:
    """Read what matters. The status is the answer: when its text breaks off, it is still one."""
    text = b""
    with suppress(OSError, HTTPException):
        text = response.read(_ANSWER_LIMIT)
    return Answer(response.status, response.headers, text)


def _unanswered(error: Exception, body: _Body) -> SendResult:
    """Judge a broken connection. Never with the text of the error: it may quote what was sent or received."""
    name = type(error).__name__
    if not body.left:
        detail = f"The connection to SendGrid failed before the whole mail had left ({name})."
        return SendResult(evidence=Evidence.REFUSED, detail=detail)
    if isinstance(error, OSError):
        return SendResult(evidence=Evidence.SILENT, detail=f"SendGrid took the mail and did not answer ({name}).")
    return SendResult(evidence=Evidence.DOUBTFUL, detail=f"SendGrid's answer cannot be read ({name}).")


def _checked_key(key: str) -> str:
    """Return the key without white space around it. The text of the error must not quote it."""
    bare = key.strip()
    if not _KEY.fullmatch(bare):
        raise TransientError("The SendGrid API key is empty or holds characters that no key has; replace it.")
    return bare
