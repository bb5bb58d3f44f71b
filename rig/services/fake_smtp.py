"""An SMTP server that misbehaves on demand: real sockets, a script, and all mails that it truly accepted.

    with FakeSmtp([answers(Step.RCPT, "450 4.2.0 greylisted"), ACCEPT]) as fake: ... fake.port, fake.accepted

Each connection takes one step of the script; after the last one, mails are accepted. It speaks as little SMTP as a
client needs that sends one mail per connection (RFC 5321, 1870, 3207, 4954).
"""

import re
import socket
import ssl
import struct
import threading
from base64 import b64decode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from socketserver import BaseRequestHandler
from typing import TYPE_CHECKING, Any

from rig.loopback import LoopbackServer, OnLoopback
from rig.services.smtp_behaviour import ACCEPT, Behaviour, End, Step

if TYPE_CHECKING:
    from io import BufferedReader

_DOT = b".\r\n"
_USUAL = {
    Step.CONNECT: b"220 fake.example ESMTP\r\n",
    Step.STARTTLS: b"220 2.0.0 Go ahead\r\n",
    Step.AUTH: b"235 2.7.0 Welcome\r\n",
    Step.MAIL: b"250 2.1.0 Ok\r\n",
    Step.RCPT: b"250 2.1.5 Ok\r\n",
    Step.DATA: b"354 End data with <CR><LF>.<CR><LF>\r\n",
    Step.DOT: b"250 2.0.0 Ok: queued as 4XyZ\r\n",
    Step.QUIT: b"221 2.0.0 Bye\r\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMail:
    """A mail that came with its final dot: its envelope, and its content without the dots that only travel."""

    sender: str
    to: str
    content: bytes
    accepted: bool
    encrypted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the server can. `tls`: of STARTTLS, or of every connection when it is `implicit`."""

    size: str | None = "35882577"  # what it says; it takes any
    login: tuple[str, str] | None = None  # user and password that are asked for
    mechanisms: str = "PLAIN LOGIN"
    tls: ssl.SSLContext | None = None
    implicit: bool = False


class FakeSmtp(OnLoopback):
    """The server. `mails` holds every whole mail, accepted or not; `commands` every line but those of a mail.

    `endless` is set when silence, or an answer that never ends, has begun.
    """

    def __init__(
        self, script: Sequence[Behaviour] = (), *, offer: Offer = Offer(), receive_buffer: int | None = None
    ) -> None:
        self.offer = offer
        self.mails: list[ReceivedMail] = []
        self.commands: list[str] = []
        self.endless = threading.Event()
        self._script, self._lock = list(script), threading.Lock()
        self._server = _Server(self, receive_buffer)
        self.port = self._server.server_port

    @property
    def connections(self) -> int:
        """How many connections were made."""
        return self._server.accepted

    @property
    def accepted(self) -> list[ReceivedMail]:
        """The mails that it would deliver."""
        return [mail for mail in self.mails if mail.accepted]

    def next_behaviour(self) -> Behaviour:
        with self._lock:
            return self._script.pop(0) if self._script else ACCEPT

    def keep(self, mail: ReceivedMail) -> None:
        with self._lock:
            self.mails.append(mail)


class _Server(LoopbackServer):
    def __init__(self, fake: FakeSmtp, receive_buffer: int | None) -> None:
        self.fake = fake
        super().__init__(_Conversation, receive_buffer=receive_buffer)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401
        self.close_request(request)  # without FIN before it, so that a reset is nothing but a reset


class _Over(Exception):
    """The connection has found its end."""


class _Conversation(BaseRequestHandler):
    server: _Server

    def setup(self) -> None:
        self.fake, self.behaviour = self.server.fake, self.server.fake.next_behaviour()
        self.line: socket.socket = self.request
        self.encrypted, self.logged_in = False, False
        self.sender, self.to = "", ""
        if self.fake.offer.implicit:
            self._encrypt()
        self.reader: BufferedReader = self.line.makefile("rb")

    def finish(self) -> None:
        self.reader.close()
        if self.line is not self.request:
            self.line.close()

    def handle(self) -> None:
        with suppress(_Over):
            self._answer(Step.CONNECT)
            while line := self.reader.readline():
                command = line.decode("ascii").rstrip("\r\n")
                self.fake.commands.append(command)
                self._obey(command.upper().split(":")[0].split()[0], command)

    def _obey(self, verb: str, command: str) -> None:
        if verb == "EHLO":
            self._answer(Step.EHLO, self._extensions())
        elif verb == "STARTTLS":
            self._answer(Step.STARTTLS)
            self._answer(Step.HANDSHAKE, b"")
            self._encrypt()
            self.reader = self.line.makefile("rb")
        elif verb == "AUTH":
            self._answer(Step.AUTH, self._judge_login(command))
        elif verb == "MAIL" and self.fake.offer.login and not self.logged_in:
            self._answer(Step.MAIL, b"530 5.7.0 Authentication required\r\n")
        elif verb == "MAIL":
            self.sender = _path(command)
            self._answer(Step.MAIL)
        elif verb == "RCPT":
            self.to = _path(command)
            self._answer(Step.RCPT)
        elif verb == "DATA":
            self._answer(Step.DATA)
            if self.behaviour.at is not Step.DATA:
                self._take_mail()
        else:
            self._answer(Step.QUIT)
            raise _Over

    def _extensions(self) -> bytes:
        offer, words = self.fake.offer, ["fake.example"]
        words += [f"SIZE {offer.size}"] if offer.size is not None else []
        words += ["STARTTLS"] if offer.tls and not self.encrypted else []
        words += [f"AUTH {offer.mechanisms}"] if offer.login else []
        lines = [f"250-{word}\r\n" for word in words[:-1]]
        return "".join([*lines, f"250 {words[-1]}\r\n"]).encode()

    def _judge_login(self, command: str) -> bytes:
        _, mechanism, *token = command.split()
        if mechanism == "PLAIN":
            shown = tuple(b64decode(token[0]).decode().split("\0")[1:])
        else:
            shown = (self._ask("Username:"), self._ask("Password:"))
        self.logged_in = shown == self.fake.offer.login
        return _USUAL[Step.AUTH] if self.logged_in else b"535 5.7.8 Authentication credentials invalid\r\n"

    def _ask(self, prompt: str) -> str:
        self.line.sendall(b"334 " + prompt.encode() + b"\r\n")
        return b64decode(self.reader.readline()).decode()

    def _take_mail(self) -> None:
        if self.behaviour.at is Step.CONTENT:
            self._take(self.behaviour.takes)
            self._answer(Step.CONTENT, b"")
        lines = list[bytes]()
        while (line := self.reader.readline()) != _DOT:
            if not line:
                raise _Over
            lines.append(line.removeprefix(b"."))
        accepted = self.behaviour.accepts if self.behaviour.at is Step.DOT else True
        mail = ReceivedMail(
            sender=self.sender, to=self.to, content=b"".join(lines), accepted=accepted, encrypted=self.encrypted
        )
        self.fake.keep(mail)
        self._answer(Step.DOT)

    def _take(self, count: int) -> None:
        """Read so much of the mail, in small pieces."""
        while count and (piece := self.reader.read1(min(count, 4096))):
            count -= len(piece)

    def _answer(self, step: Step, usual: bytes | None = None) -> None:
        """Say what is usual after this step, or whatever the script wants."""
        says, behaviour = _USUAL[step] if usual is None else usual, self.behaviour
        if behaviour.at is not step:
            self.line.sendall(says)
            return
        if behaviour.says is not None or behaviour.end is not End.GO_ON:
            says = behaviour.says or b""
        self.line.sendall(says)
        if behaviour.drip:
            self.fake.endless.set()
        while behaviour.drip and not self.server.closing.wait(0.02):
            self.line.sendall(behaviour.drip)
        if behaviour.end is not End.GO_ON:
            self._end(behaviour.end)

    def _end(self, end: End) -> None:
        if end is End.RESET:
            self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif end is End.HANG:
            self.fake.endless.set()
            self.server.closing.wait()
        raise _Over

    def _encrypt(self) -> None:
        assert self.fake.offer.tls is not None
        self.line = self.fake.offer.tls.wrap_socket(self.line, server_side=True)
        self.encrypted = True


def _path(command: str) -> str:
    """Read the address of MAIL FROM:<…> or RCPT TO:<…>."""
    found = re.search(r"<([^>]*)>", command)
    return found[1] if found else ""
