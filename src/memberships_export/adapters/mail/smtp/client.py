"""Mails through an SMTP server: one attempt per call, and what it proved.

What matters most is whether the final dot had left when something broke: before it, no server has accepted the mail.
smtplib takes every step but hides that one, so the mail itself is written here.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from memberships_export.adapters.http.watchdog import TimeLimit
from memberships_export.adapters.mail.eml import eml, message_id
from memberships_export.adapters.mail.not_prepared import not_prepared
from memberships_export.adapters.mail.refusal import tell_refusal
from memberships_export.adapters.mail.smtp.answer import Answer, Refusal, result_of
from memberships_export.adapters.mail.smtp.session import Session, as_base64, plain_token
from memberships_export.domain.errors import InvalidAddress, TransientError
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import NOT_AN_ADDRESS, NOT_WANTED, Mail, SendResult
from memberships_export.domain.mail.sender import Sender
from memberships_export.ports import Clock

_PIECE = 32 * 1024
_EARLY_ANSWER_SECONDS = 1.0  # an answer given while we were still writing is here already, or will never be
_MAIL = "the mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """Where and as whom to send. `password` is asked for each mail, so it can be replaced while the service runs."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: Sender
    user: str | None = None  # None: no login
    password: Callable[[], str] = field(default=lambda: "", repr=False)
    connect_seconds: float = 5
    read_seconds: float = 25  # of silence
    total_seconds: float = 50  # from the connection to the answer; shorter than a worker's lease


class Smtp:
    """A Mailer. No retries; each mail gets a fresh connection. Safe to share between threads."""

    repeatable = False

    def __init__(self, settings: SmtpSettings, clock: Clock) -> None:
        """Keep the settings; there is no connection before the first mail."""
        self._settings = settings
        self._clock = clock

    def send(self, mail: Mail, still_wanted: Callable[[], bool] = lambda: True) -> SendResult:
        """Try to hand over one mail; everything that can happen is a SendResult."""
        try:
            message = self._message(mail)
            password = self._settings.password().rstrip("\r\n")  # a secret that was put there from a file ends in one
        except InvalidAddress:
            return SendResult(evidence=Evidence.REFUSED, detail=NOT_AN_ADDRESS, permanent=True)
        except TransientError as error:
            return SendResult(evidence=Evidence.REFUSED, detail=error.reason, retry_after=error.retry_after)
        except Exception as error:  # noqa: BLE001  (whatever it was, nothing has left: nobody is to doubt that)
            return not_prepared(error)
        return self._hand_over(message, password, still_wanted)

    def _message(self, mail: Mail) -> "_Message":
        sender = self._settings.sender
        return _Message(
            sender=sender.address,
            to=mail.to,
            message_id=message_id(mail.intent, sender.address),
            content=eml(mail, sender, self._clock()),
        )

    def _hand_over(self, message: "_Message", password: str, still_wanted: Callable[[], bool]) -> SendResult:
        try:
            with self._session() as session:
                self._offer(session, message, password)
                if not still_wanted():  # a process may have been stopped for an hour right before
                    return SendResult(evidence=Evidence.REFUSED, detail=NOT_WANTED)
                answer = self._give(session, message)
        except Refusal as refusal:
            answer = refusal.answer
        except Exception as error:  # noqa: BLE001  (what counts is how much had left)
            if isinstance(error, ssl.SSLCertVerificationError):
                tell_refusal("none", f"its certificate cannot be trusted: {error.verify_message}")
            return _unanswered(error, message)
        secrets = self._secrets(password)
        if answer.refuses_us:
            tell_refusal(answer.status, answer.detail(*secrets))
        return result_of(answer, message.message_id, *secrets, whole=message.left)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Connect; the whole conversation has its time from then on."""
        settings = self._settings
        connection = socket.create_connection((settings.host, settings.port), settings.connect_seconds)
        # TLS takes the connection over; the other handle stays with who has to cut it.
        with closing(connection), connection.dup() as handle, _within(handle, settings.total_seconds):
            if settings.security == "tls":
                connection = self._tls.wrap_socket(connection, server_hostname=settings.host)
            connection.settimeout(settings.read_seconds)
            session = Session(connection, settings.host)
            try:
                yield session
            finally:
                with suppress(OSError):
                    session.close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Read the machine's certificates with the first mail: that takes longer than the rest of a start."""
        return ssl.create_default_context()

    def _offer(self, session: Session, message: "_Message", password: str) -> None:
        """Do all that comes before the mail itself. Raises Refusal."""
        try:
            session.begin()
            if self._settings.security == "starttls":
                session.secure(self._tls)
            if self._settings.user:
                session.log_in(self._settings.user, password)
            _announce(session, message)
        except Refusal:
            session.leave()
            raise

    def _give(self, session: Session, message: "_Message") -> Answer:
        """Write the mail, and read what becomes of it."""
        try:
            for piece in message.pieces():
                session.sock.sendall(piece)
        except OSError as error:
            session.sock.settimeout(min(self._settings.read_seconds, _EARLY_ANSWER_SECONDS))
            raise Refusal(session.verdict(_MAIL)) from error
        session.sock.settimeout(self._settings.total_seconds)  # now patience spares a second mail
        answer = session.verdict(_MAIL)
        session.leave()
        return answer

    def _secrets(self, password: str) -> tuple[str, ...]:
        user = self._settings.user
        return (plain_token(user, password), as_base64(password), password) if user and password else ()


@dataclass(slots=True, kw_only=True)
class _Message:
    """A mail in its envelope. `left` is true once the kernel has taken the last piece, with the final dot."""

    sender: str
    to: str
    message_id: str
    content: bytes
    left: bool = False

    def pieces(self) -> Iterator[bytes]:
        """Give it as DATA wants it: no line but the last is a dot (RFC 5321 4.5.2)."""
        data = self.content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        for start in range(0, len(data), _PIECE):
            yield data[start : start + _PIECE]
        self.left = True  # asked for more only after sendall of the last piece came back


@contextmanager
def _within(connection: socket.socket, seconds: float) -> Iterator[None]:
    with TimeLimit(connection, seconds) as limit:
        try:
            yield
        except OSError as error:
            if limit.passed:  # a connection that was cut looks as if the server had ended it
                raise TimeoutError from error
            raise


def _announce(session: Session, message: _Message) -> None:
    """Say from whom, to whom and how large. Raises Refusal."""
    size, limit = len(message.content), session.size_limit
    if limit is not None and size > limit:
        text = f"The mail is {size} bytes, and the server takes at most {limit}."
        raise Refusal(Answer("MAIL FROM", 552, text.encode(), foreseen=True))
    declared = f" SIZE={size}" if session.has_extn("size") else ""
    session.step("MAIL FROM", 2, f"MAIL FROM:<{message.sender}>{declared}")
    session.step("RCPT TO", 2, f"RCPT TO:<{message.to}>")
    session.step("DATA", 3, "DATA")


def _unanswered(error: Exception, message: _Message) -> SendResult:
    """Judge a broken connection. Never with the text of the error: it may quote what was sent or received."""
    name = type(error).__name__
    if not message.left:
        detail = f"The connection to the mail server failed before the whole mail had left ({name})."
        return SendResult(evidence=Evidence.REFUSED, detail=detail)
    if isinstance(error, OSError):
        return SendResult(
            evidence=Evidence.SILENT, detail=f"The mail server took the mail and did not answer ({name})."
        )
    return SendResult(evidence=Evidence.DOUBTFUL, detail=f"The mail server's answer cannot be read ({name}).")
