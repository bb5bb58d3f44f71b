import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler

import pytest

from memberships_export.adapters.http.watchdog import TimeLimit
from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.domain.errors import MembershipsUnavailable
from memberships_export.domain.export.record import Evidence
from rig.loopback import LoopbackServer
from tests.contract.mailers import a_mail, sendgrid
from tests.readers import own_page

BEGINNING_OF_A_HANDSHAKE = b"\x16\x03\x03\x3f\xff"  # a record of 16383 bytes, which then come one by one


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@contextmanager
def dripping_handshake() -> Iterator[str]:
    class Drip(BaseRequestHandler):
        def handle(self) -> None:
            assert isinstance(self.server, LoopbackServer)
            with suppress(OSError):  # the client went, as it should
                self.request.sendall(BEGINNING_OF_A_HANDSHAKE)
                for _ in range(60):  # and no more, so that a client without a limit fails this test and does not hang
                    self.server.closing.wait(0.05)
                    self.request.sendall(b"\x02")

    with LoopbackServer(Drip) as server:
        yield server.url.replace("http:", "https:")


def test_a_connection_is_cut_when_its_time_is_up(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    with TimeLimit(ours, 0.01) as limit:
        assert theirs.recv(1) == b""
    assert limit.passed


def test_a_connection_that_was_quick_stays(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    with TimeLimit(ours, 600) as limit:
        pass
    theirs.sendall(b"x")
    assert (ours.recv(1), limit.passed) == (b"x", False)


def test_memberships_whose_tls_handshake_drips_are_unavailable() -> None:
    with dripping_handshake() as url, pytest.raises(MembershipsUnavailable, match="kept us waiting"):
        own_page(MembershipsHttp(url, lambda _: "token", HttpLimits(connect_seconds=0.3)), "anna", None, 1)


def test_a_mail_for_a_server_whose_tls_handshake_drips_is_refused_for_its_time() -> None:
    with dripping_handshake() as url:
        result = sendgrid(url, connect_seconds=0.3).send(a_mail())
    assert result.evidence is Evidence.REFUSED
    assert "TimeoutError" in str(result.detail)
