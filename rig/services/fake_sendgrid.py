"""A SendGrid that misbehaves on demand: a real HTTP server, a script, and a ledger of what it truly accepted.

In a test:      with FakeSendGrid([status(503), ACCEPT]) as fake: ... fake.url, fake.mails
As a process:   python -m rig.services.fake_sendgrid --port 0 --ledger mails.jsonl --script status:503 accept_then_reset
                (prints its port, then the public key of its events; a missing SendGrid is a process that was ended)

Each request takes one step of the script; after the last one, mails are accepted. With a webhook URL, every accepted
mail is followed by signed events.
"""

import argparse
import json
import os
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rig.loopback import LoopbackHandler, LoopbackServer, OnLoopback
from rig.services.sendgrid_behaviour import ACCEPT, Behaviour, End, read_behaviour
from rig.services.sendgrid_mail import ReceivedMail
from rig.services.sendgrid_webhook import EventSigner
from rig.waiting import signals_to_end

_EVENTS = ("processed", "delivered")
_PIECE = 64 * 1024


class FakeSendGrid(OnLoopback):
    """The server. `mails` holds every whole request, accepted or not, in the order of arrival.

    `endless` is set when silence, or an answer that never ends, has begun.
    """

    def __init__(  # noqa: PLR0913  (each is a switch of the rig, given by name)
        self,
        script: Sequence[Behaviour] = (),
        *,
        port: int = 0,
        ledger: Path | None = None,
        webhook_url: str | None = None,
        receive_buffer: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.mails: list[ReceivedMail] = []
        self.signer = EventSigner()
        self.requests = 0
        self.endless = threading.Event()
        self.webhook_url = webhook_url
        self._script, self._ledger, self._lock = list(script), ledger, threading.Lock()
        self._server = _Server(port, self, receive_buffer)
        self.port = self._server.server_port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:  # the handshake is the handler's, so that a client without one cannot block the others
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def connections(self) -> int:
        """How many connections were made."""
        return self._server.accepted

    @property
    def accepted(self) -> list[ReceivedMail]:
        """The mails that SendGrid would deliver."""
        return [mail for mail in self.mails if mail.accepted]

    def follow(self, *script: Behaviour) -> None:
        """Take these steps with the requests to come."""
        with self._lock:
            self._script = list(script)

    def next_step(self) -> Behaviour:
        with self._lock:
            self.requests += 1
            return self._script.pop(0) if self._script else ACCEPT

    def book(self, headers: dict[str, str], body: bytes, *, accepted: bool) -> ReceivedMail:
        """Keep the mail, durably, before anybody is told."""
        with self._lock:
            message_id = f"fake-{len(self.mails) + 1}"
            mail = ReceivedMail(message_id=message_id, accepted=accepted, headers=headers, body=body)
            self.mails.append(mail)
            if self._ledger:
                with self._ledger.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(mail.as_ledger_entry(datetime.now(UTC).isoformat())) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
        return mail

    def tell(self, mail: ReceivedMail) -> None:
        """Post the events of an accepted mail, once: a webhook that is away has to live without them."""
        if self.webhook_url and mail.accepted:
            with suppress(OSError):
                self.signer.events_for(mail, _EVENTS).post(self.webhook_url)


class _Server(LoopbackServer):
    def __init__(self, port: int, fake: FakeSendGrid, receive_buffer: int | None) -> None:
        self.fake = fake
        super().__init__(_Handler, port=port, receive_buffer=receive_buffer)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401
        self.close_request(request)  # without FIN before it, so that a reset is nothing but a reset


class _Handler(LoopbackHandler):
    server: _Server

    def do_POST(self) -> None:
        self.close_connection = True
        length = int(self.headers["Content-Length"])
        if self.path != "/v3/mail/send":
            self._take(length)  # unread bytes would turn the answer into a reset
            self.send_error(404)
            return
        fake, step = self.server.fake, self.server.fake.next_step()
        body = self._take(length if step.takes is None else step.takes)
        mail = fake.book(dict(self.headers), body, accepted=step.accepts) if len(body) == length else None
        self.wfile.write(step.breaks_off)
        if step.drip:
            self._drip(*step.drip)
        elif step.status:
            self._answer(step, mail)
        if mail:
            fake.tell(mail)
        self._end(step.end)

    def _take(self, count: int) -> bytes:
        """Read so much of the body, in small pieces."""
        pieces = []
        while count and (piece := self.rfile.read(min(count, _PIECE))):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def _answer(self, step: Behaviour, mail: ReceivedMail | None) -> None:
        self.send_response(step.status or 202)
        for name, value in step.headers.items():
            self.send_header(name, value)
        if mail and step.status == 202:
            self.send_header("X-Message-Id", mail.message_id)
        self.send_header("Content-Length", str(len(step.body)))
        self.end_headers()
        self.wfile.write(step.body)
        self.wfile.flush()

    def _drip(self, begins: bytes, goes_on: bytes) -> None:
        self.wfile.write(begins)
        self.server.fake.endless.set()
        while not self.server.closing.wait(0.02):
            self.wfile.write(goes_on)

    def _end(self, end: End) -> None:
        if end is End.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif end is End.HANG:
            self.server.fake.endless.set()
            self.server.closing.wait()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--webhook-url")
    parser.add_argument("--script", nargs="*", type=read_behaviour, default=[])
    options = parser.parse_args()
    until_told_to_end = signals_to_end()
    fake = FakeSendGrid(options.script, port=options.port, ledger=options.ledger, webhook_url=options.webhook_url)
    with fake:
        sys.stdout.write(f"{fake.port}\n{fake.signer.public_key}\n")
        sys.stdout.flush()
        until_told_to_end()


if __name__ == "__main__":
    main()
