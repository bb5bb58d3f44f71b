import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
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


def test_a_short_limit_is_kept_while_a_long_one_is_watched() -> None:
    with ExitStack() as open_sockets:
        pairs = [socket.socketpair() for _ in range(3)]
        for end in chain.from_iterable(pairs):
            open_sockets.enter_context(end)
        with TimeLimit(pairs[0][0], 600) as long, TimeLimit(pairs[1][0], 0.01) as short:
            assert pairs[1][1].recv(1) == b""
            with TimeLimit(pairs[2][0], 0.01) as another:
                assert pairs[2][1].recv(1) == b""
        assert (long.passed, short.passed, another.passed) == (False, True, True)
        pairs[0][1].sendall(b"x")
        assert pairs[0][0].recv(1) == b"x"


def test_a_connection_is_not_cut_any_more_after_its_block(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    with TimeLimit(ours, 600) as limit:
        pass
    limit.cut()  # as by a thread that found its end just before
    theirs.sendall(b"x")
    assert (ours.recv(1), limit.passed) == (b"x", False)


def test_one_thread_watches_all_connections() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, ThreadPoolExecutor(8) as pool:
        with TimeLimit(ours, 600):
            before = _watchdogs()
        for done in [pool.submit(_quick_call, ours) for _ in range(200)]:
            done.result()
        assert (_watchdogs(), before) == (before, 1)


def _quick_call(line: socket.socket) -> None:
    with TimeLimit(line, 600):
        pass


def _watchdogs() -> int:
    return sum(thread.name == "watchdog" for thread in threading.enumerate())


def test_a_line_that_is_gone_does_not_keep_others_from_being_cut(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    gone = socket.socket()
    gone.close()
    nothing: socket.socket = None  # type: ignore[assignment]  # as a library may give it
    with TimeLimit(gone, 0), TimeLimit(nothing, 0), TimeLimit(ours, 0.01) as limit:
        assert theirs.recv(1) == b""
    assert limit.passed


def test_memberships_whose_tls_handshake_drips_are_unavailable() -> None:
    with dripping_handshake() as url, pytest.raises(MembershipsUnavailable, match="kept us waiting"):
        own_page(MembershipsHttp(url, lambda _: "token", HttpLimits(connect_seconds=0.3)), "anna", None, 1)


def test_a_mail_for_a_server_whose_tls_handshake_drips_is_refused_for_its_time() -> None:
    with dripping_handshake() as url:
        result = sendgrid(url, connect_seconds=0.3).send(a_mail())
    assert result.evidence is Evidence.REFUSED
    assert "TimeoutError" in str(result.detail)
