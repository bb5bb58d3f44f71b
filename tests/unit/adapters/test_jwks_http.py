"""What an identity provider may do to the one call that reads its key set."""

import json
import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import pytest

from memberships_export.adapters.identity.endpoint import Limits, Unanswered
from memberships_export.adapters.identity.jwks import KeySetReader
from memberships_export.adapters.identity.jwks_http import KeySetHttp
from memberships_export.version import USER_AGENT
from rig.loopback import LoopbackHandler, LoopbackServer
from rig.services.fake_memberships import closed_port
from tests.fakes.forged_tokens import RSA_KEY, public_jwk

HURRIED = Limits(seconds=0.4)
UNHURRIED = Limits(seconds=60)
MIB = 1024 * 1024
GOOD = json.dumps({"keys": [public_jwk(RSA_KEY, "rsa-1")]}).encode()
LATE = re.compile(r"took longer than 0\.4 seconds|kept us waiting for more than 0\.4 seconds")


@dataclass
class Seen:
    """What the provider saw."""

    url: str
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bytes_sent: int = 0


class Exchange:
    """One answer, byte by byte if need be."""

    def __init__(self, handler: LoopbackHandler, seen: Seen, closing: threading.Event) -> None:
        self.handler, self.seen, self.closing = handler, seen, closing

    def send(self, content: bytes) -> Self:
        self.handler.wfile.write(content)
        self.seen.bytes_sent += len(content)
        return self

    def head(self, *lines: str, status: int = 200) -> Self:
        return self.send("\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode())

    def drip(self, content: bytes) -> None:
        """Long enough for every limit here, and not for ever: a client without a limit fails and does not hang."""
        for byte in (content * 60)[:60]:
            self.send(bytes([byte]))
            self.closing.wait(0.05)

    def hang(self) -> None:
        self.closing.wait()


Behaviour = Callable[[Exchange], object]


@contextmanager
def provider(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Seen]:
    class Handler(LoopbackHandler):
        def do_GET(self) -> None:
            seen.requests.append((self.path, dict(self.headers)))
            behave(Exchange(self, seen, server.closing))
            self.close_connection = True

    with LoopbackServer(Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        seen = Seen(server.url.replace("http:", "https:") if tls else server.url)
        yield seen


def read(seen: Seen, limits: Limits = UNHURRIED) -> bytes:
    return KeySetHttp(f"{seen.url}/keys.json?p=policy", limits).read()


def answering(content: bytes, *lines: str, status: int = 200) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.head(*lines, f"Content-Length: {len(content)}", status=status)
        exchange.send(content)

    return behave


# --- What it asks -----------------------------------------------------------------------------------------------------


def test_one_get_with_a_name_of_our_own_and_no_secret() -> None:
    with provider(answering(GOOD)) as seen:
        assert read(seen) == GOOD
    ((path, headers),) = seen.requests
    assert path == "/keys.json?p=policy"
    assert headers["User-Agent"] == USER_AGENT
    assert headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    "behave",
    [
        lambda exchange: exchange.head("Connection: close").send(GOOD),
        lambda exchange: exchange.head("Transfer-Encoding: chunked").send(
            b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD),
        ),
        answering(GOOD, "Content-Encoding: UTF-8", "Content-Type: text/plain"),
    ],
    ids=["until the end of the connection", "in chunks", "with a strange encoding"],
)
def test_a_key_set_is_read_however_it_is_sent(behave: Behaviour) -> None:
    with provider(behave) as seen:
        assert read(seen) == GOOD


def test_an_empty_answer_is_an_empty_body() -> None:
    with provider(answering(b"")) as seen:
        assert read(seen) == b""


# --- Time -------------------------------------------------------------------------------------------------------------

SLOW: dict[str, Behaviour] = {
    "hangs": lambda exchange: exchange.hang(),
    "head that drips": lambda exchange: exchange.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 60),
    "body that drips": lambda exchange: exchange.head("Content-Length: 1000").drip(b" "),
    "body without end that drips": lambda exchange: exchange.head("Connection: close").drip(b" "),
    "chunks that drip": lambda exchange: exchange.head("Transfer-Encoding: chunked").drip(b"1\r\n \r\n"),
    "body that never comes": lambda exchange: exchange.head("Content-Length: 1000").hang(),
}


@pytest.mark.parametrize("behave", SLOW.values(), ids=SLOW.keys())
def test_a_slow_provider_is_left_when_the_time_is_up(behave: Behaviour) -> None:
    with provider(behave) as seen, pytest.raises(Unanswered) as failure:
        read(seen, HURRIED)
    assert LATE.search(failure.value.cause)


# --- Size -------------------------------------------------------------------------------------------------------------


def test_a_huge_set_that_is_announced_is_not_read() -> None:
    def announce(exchange: Exchange) -> None:
        exchange.head(f"Content-Length: {600 * MIB}")
        exchange.hang()

    with provider(announce) as seen, pytest.raises(Unanswered, match=f"larger than {MIB} bytes"):
        read(seen)


@pytest.mark.parametrize("chunked", [True, False])
def test_a_huge_set_is_read_no_further_than_a_mebibyte(chunked: bool) -> None:  # noqa: FBT001
    piece = b" " * 64 * 1024

    def stream(exchange: Exchange) -> None:
        exchange.head("Transfer-Encoding: chunked" if chunked else "Connection: close")
        while exchange.seen.bytes_sent < 600 * MIB:
            exchange.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)

    with provider(stream) as seen, pytest.raises(Unanswered, match=f"larger than {MIB} bytes"):
        read(seen)
    assert seen.bytes_sent < 60 * MIB  # what was on its way when the reader left


def test_a_set_of_exactly_a_mebibyte_is_read() -> None:
    with provider(answering(b" " * MIB)) as seen:
        assert len(read(seen)) == MIB


# --- Other answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with provider(answering(b"", "Location: /elsewhere", status=status)) as seen:
        with pytest.raises(Unanswered, match="redirects") as failure:
            read(seen)
        assert (failure.value.status, failure.value.lasting) == (status, True)
    assert len(seen.requests) == 1


@pytest.mark.parametrize(
    "status,lasting",
    [(201, True), (204, True), *((status, True) for status in (400, 401, 403, 404, 407, 410))]
    + [(status, False) for status in (408, 425, 429, 500, 502, 503, 504)],
)
def test_any_other_status_is_told_and_whether_a_person_has_to_mend_it(status: int, lasting: bool) -> None:  # noqa: FBT001
    with provider(answering(b"canary", status=status)) as seen, pytest.raises(Unanswered) as failure:
        read(seen)
    assert (failure.value.status, failure.value.lasting) == (status, lasting)


@pytest.mark.parametrize(
    "behave",
    [
        lambda _: None,
        lambda exchange: exchange.send(b"220 mail.example ESMTP\r\n"),
        lambda exchange: exchange.head("Content-Length: 1000").send(b"{"),
    ],
    ids=["no answer", "no HTTP", "half a body"],
)
def test_a_broken_answer_is_told(behave: Behaviour) -> None:
    with provider(behave) as seen, pytest.raises(Unanswered, match="broke off its answer"):
        read(seen)


def test_a_provider_that_is_not_there_is_told() -> None:
    with closed_port() as port, pytest.raises(Unanswered, match="does not accept connections"):
        KeySetHttp(f"http://127.0.0.1:{port}/keys.json").read()


@pytest.mark.usefixtures("trusted")
def test_a_key_set_is_read_over_tls(tls: ssl.SSLContext) -> None:
    with provider(answering(GOOD), tls) as seen:
        assert read(seen) == GOOD


def test_a_certificate_that_nobody_knows_is_for_a_person_to_mend(tls: ssl.SSLContext) -> None:
    with provider(answering(GOOD), tls) as seen, pytest.raises(Unanswered, match="check its certificate") as failure:
        read(seen)
    assert (failure.value.status, failure.value.lasting) == (None, True)
    assert seen.requests == []


@pytest.mark.usefixtures("trusted")
def test_a_slow_provider_is_left_over_tls_too(tls: ssl.SSLContext) -> None:
    slow = SLOW["body that drips"]
    with provider(slow, tls) as seen, pytest.raises(Unanswered) as failure:
        read(seen, HURRIED)
    assert LATE.search(failure.value.cause)


# --- What the operator is told ----------------------------------------------------------------------------------------


class Scripted:
    """The body of the set, or what goes wrong with it."""

    where = "id.example.org/keys"

    def __init__(self, *steps: bytes | Exception) -> None:
        self.steps = list(steps)

    def read(self) -> bytes:
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    "step,line",
    [
        (
            Unanswered("answers with status 403", 403, lasting=True),
            "status=403 event=refused reason={} answers with status 403.",
        ),
        (
            Unanswered("answers with status 403", 500),
            "status=500 event=key_set_unread reason={} answers with status 403.",
        ),
        (Unanswered("does not accept connections"), "status=none event=key_set_unread reason={} does not accept"),
        (b"<html>canary</html>", "status=200 event=refused reason={} is not JSON."),
        (b"[]", "status=200 event=refused reason={} is JSON, but no object with a list of keys."),
        (b"[" * 500_000, "status=200 event=refused reason={} is nested too deeply."),
        (b'{"keys": []}', "status=200 event=refused reason={} holds no key that can be used."),
        (TypeError("canary"), "status=none event=key_set_unread reason={} could not be read for a bug: TypeError at "),
    ],
)
def test_a_failed_read_is_one_line_with_status_and_cause(
    step: bytes | Exception, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert KeySetReader(Scripted(step)).read() is None
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("by=identity_provider " + line.format("The key set at id.example.org/keys"))
    assert "canary" not in record.getMessage()


def test_a_provider_that_goes_on_failing_costs_one_line_in_thirty_seconds(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    reader = KeySetReader(Scripted(*[Unanswered("answers with status 500", 500)] * 62), clock)
    for _ in range(62):
        reader.read()
        clock.now += 1
    assert len(caplog.records) == 3


def test_an_odd_key_is_told_once_and_not_with_each_read(caplog: pytest.LogCaptureFixture) -> None:
    odd = json.dumps({"keys": [public_jwk(RSA_KEY, "rsa-1"), {"kty": "RSA"}]}).encode()
    other = json.dumps({"keys": [public_jwk(RSA_KEY, "rsa-1"), {"kty": "RSA", "kid": "x", "use": "enc"}]}).encode()
    reader = KeySetReader(Scripted(odd, odd, other, other))
    for _ in range(4):
        assert [key_id for _, key_id in reader.read() or {}] == ["rsa-1"]
    assert [record.getMessage() for record in caplog.records] == [
        "where=id.example.org/keys event=key_skipped reason=Key 2 has no key id (kid).",
        "where=id.example.org/keys event=key_skipped reason=Key 2 ('x') is not for checking signatures (use, key_ops).",
    ]
