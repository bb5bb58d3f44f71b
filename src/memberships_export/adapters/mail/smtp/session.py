"""One SMTP session, over a connection that is there already: smtplib, with answers of bounded length.

smtplib itself reads an answer for as long as lines come, and tells a line that is too long as a refusal by the server.
"""

import re
import socket
import ssl
from base64 import b64encode
from contextlib import suppress
from io import BufferedReader
from smtplib import SMTP, SMTPResponseException

from memberships_export.adapters.http.watchdog import TimeLimit
from memberships_export.adapters.mail.smtp.answer import Answer, Refusal

_LINE = re.compile(rb"(?P<code>[2-5][0-9]{2})(?:(?P<sign>[ -])(?P<text>.*))?", re.DOTALL)
_LONGEST_LINE = 4096  # bytes; RFC 5321 4.5.3.1.5 allows 512
_MOST_LINES = 100
_PARTING_SECONDS = 1.0  # the mail's fate is known by then, and waits to be written down


class Unreadable(Exception):
    """The server answers, but not as SMTP."""


class Session(SMTP):
    """Takes one step after the other.

    Each raises Refusal when the server says no, Unreadable when that is no SMTP, and OSError when it does not answer.
    """

    sock: socket.socket

    def __init__(self, connection: socket.socket, host: str) -> None:
        """Take a connection. We name ourselves by our address on it: to look up our name could take long."""
        address = connection.getsockname()[0]
        super().__init__(local_hostname=f"[IPv6:{address}]" if ":" in address else f"[{address}]")
        self.sock = connection
        self._host = host  # whose certificate starttls checks; smtplib sets it only where it connects by itself

    def begin(self) -> None:
        """Wait until the server is ready, and learn what it can."""
        _expect(2, Answer("greeting", *self.getreply()))
        self._learn()

    def secure(self, tls: ssl.SSLContext) -> None:
        """Encrypt the rest, or refuse to go on. What the server can is asked again: it was not said in private."""
        if not self.has_extn("starttls"):
            raise Refusal(Answer("STARTTLS", 502, b"The server does not offer STARTTLS.", foreseen=True))
        try:
            self.starttls(context=tls)
        except SMTPResponseException as error:
            raise Refusal(Answer("STARTTLS", error.smtp_code, bytes(error.smtp_error))) from error  # type: ignore[arg-type]
        self._learn()

    def log_in(self, user: str, password: str) -> None:
        """Show who we are, by PLAIN or LOGIN; smtplib's own cannot send an ä."""
        offered = self.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            self.step("AUTH", 2, f"AUTH PLAIN {plain_token(user, password)}")
        elif "LOGIN" in offered:
            self.step("AUTH", 3, "AUTH LOGIN")
            self.step("AUTH", 3, as_base64(user))
            self.step("AUTH", 2, as_base64(password))
        else:
            raise Refusal(Answer("AUTH", 504, b"The server offers neither AUTH PLAIN nor AUTH LOGIN.", foreseen=True))

    @property
    def size_limit(self) -> int | None:
        """The largest mail that the server takes, in bytes; None when it does not say."""
        limit = self.esmtp_features.get("size", "")
        return int(limit) or None if re.fullmatch("[0-9]{1,19}", limit) else None

    def step(self, name: str, kind: int, command: str) -> None:
        """Say one thing; the first digit of the answer tells whether to go on."""
        _expect(kind, Answer(name, *self.docmd(command)))

    def verdict(self, step: str) -> Answer:
        """Read the first line of an answer: those after it have the same code, and may never come."""
        code, text, _ = self._read_line()
        return Answer(step, code, text)

    def leave(self) -> None:
        """Say good-bye. Whatever comes of it changes nothing."""
        with suppress(Exception), TimeLimit(self.sock, _PARTING_SECONDS):
            self.docmd("QUIT")

    def getreply(self) -> tuple[int, bytes]:
        """Read a whole answer, for each step of smtplib too."""
        lines = list[bytes]()
        for _ in range(_MOST_LINES):
            code, text, goes_on = self._read_line()
            lines.append(text)
            if not goes_on:
                return code, b"\n".join(lines)
        raise Unreadable

    def _learn(self) -> None:
        _expect(2, Answer("EHLO", *self.ehlo()))

    def _read_line(self) -> tuple[int, bytes, bool]:
        """Return code, text, and whether more lines follow. What broke off behind its code is a line."""
        self.file = self.file or self.sock.makefile("rb")
        line = _line(self.file)
        if found := _LINE.fullmatch(line.rstrip(b"\r\n")):
            return int(found["code"]), (found["text"] or b"").strip(), found["sign"] == b"-"
        if line.endswith(b"\n") or len(line) == _LONGEST_LINE:
            raise Unreadable
        raise ConnectionResetError  # before it had said anything


def _line(file: BufferedReader) -> bytes:
    """Read a line of at most the longest length, or what there is of it: a reset is as good an end as any."""
    line = b""
    while len(line) < _LONGEST_LINE and not line.endswith(b"\n"):
        try:
            here = file.peek()
        except ConnectionError:
            here = b""
        if not here:
            break
        line += file.readline(min(len(here), _LONGEST_LINE - len(line)))
    return line


def plain_token(user: str, password: str) -> str:
    """Write what PLAIN sends (RFC 4616)."""
    return as_base64(f"\0{user}\0{password}")


def as_base64(text: str) -> str:
    """Write user or password as LOGIN sends it."""
    return b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def _expect(kind: int, answer: Answer) -> None:
    if answer.code // 100 != kind:
        raise Refusal(answer)
