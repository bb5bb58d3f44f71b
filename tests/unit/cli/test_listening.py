import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from memberships_export.entrypoints.cli.exits import CommandError, WrongUsage
from memberships_export.entrypoints.cli.serve.listening import Listening, listen, local_url
from memberships_export.settings import Settings


@contextmanager
def listening(settings: Settings) -> Iterator[Listening]:
    taken = listen(settings)
    try:
        yield taken
    finally:
        for one in taken.sockets:
            one.close()


def test_port_0_takes_a_free_one_and_tells_which() -> None:
    with listening(Settings(port=0)) as taken:
        port = taken.sockets[0].getsockname()[1]
        assert taken.url == taken.local_url == f"http://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.1", port)).close()


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with listening(Settings(port=0)) as taken:
        port = taken.sockets[0].getsockname()[1]
        with pytest.raises(CommandError, match="--port or MEMBERSHIPS_EXPORT_PORT") as refused:
            listen(Settings(port=port))
    assert str(port) in str(refused.value)


def test_listening_everywhere_is_reached_by_loopback() -> None:
    with listening(Settings(host="0.0.0.0", port=0)) as taken:  # noqa: S104  (what is tested)
        assert taken.url == taken.local_url
        assert taken.local_url.startswith("http://127.0.0.1:")


def test_a_host_that_is_not_this_machine_is_wrong_usage() -> None:
    with pytest.raises(WrongUsage, match=r"--host \(MEMBERSHIPS_EXPORT_HOST\) is '240\.0\.0\.1'"):
        listen(Settings(host="240.0.0.1", port=0))


@pytest.mark.parametrize("error", [socket.gaierror(), UnicodeError("label empty or too long")], ids=repr)
def test_a_host_that_is_no_name_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(WrongUsage, match="--host"):
        listen(Settings(host="a..b", port=0))


def test_a_port_that_only_root_may_take_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_socket: socket.socket, _address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(CommandError, match="let a proxy listen on 80") as refused:
        listen(Settings(port=80))
    assert "--port" in str(refused.value)


@pytest.mark.parametrize(
    "host, url",
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104  (what is tested)
        ("::", "http://[::1]:8000"),
    ],
)
def test_another_process_finds_the_api_by_the_same_settings(host: str, url: str) -> None:
    assert local_url(Settings(host=host)) == url
