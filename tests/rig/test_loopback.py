"""The server under all fakes: its end is the end of everything it began."""

import socket
from threading import Event
from threading import enumerate as threads

import pytest

from rig.loopback import LoopbackHandler, LoopbackServer
from rig.waiting import PATIENCE_SECONDS, until


class _Silent(LoopbackServer):
    def __init__(self) -> None:
        super().__init__(_SilentHandler)
        self.asked = Event()


class _SilentHandler(LoopbackHandler):
    server: _Silent

    def do_GET(self) -> None:
        self.server.asked.set()
        self.server.closing.wait()


class _Answering(LoopbackHandler):
    def do_GET(self) -> None:
        for _ in range(100):
            self.wfile.write(bytes(64 * 1024))


def test_its_end_cuts_whoever_is_still_connected_and_leaves_no_thread() -> None:
    before = set(threads())
    with _Silent() as server:
        idle, asking = (socket.create_connection(("127.0.0.1", server.server_port)) for _ in range(2))
        asking.sendall(b"GET / HTTP/1.1\r\n\r\n")
        until(lambda: server.accepted == 2, "both connections", progress=lambda: server.accepted)
        assert server.asked.wait(PATIENCE_SECONDS)  # what was sent and never read would make a reset of the end
    with idle, asking:
        assert (idle.recv(1), asking.recv(1)) == (b"", b"")
    assert set(threads()) <= before


def test_a_client_that_goes_away_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    with LoopbackServer(_Answering) as server:
        for _ in range(3):
            client = socket.create_connection(("127.0.0.1", server.server_port))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            client.close()
    assert capfd.readouterr() == ("", "")
