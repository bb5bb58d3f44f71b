"""What every test can rely on: no ambient settings, no network beyond this machine, the shared data if it is here."""

import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.once import Once

if TYPE_CHECKING:
    from rig.aws.fake_aws import FakeAws

# How fast examples are made says more of what else the machine is doing than of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

SHARED_DATA = Path(__file__).parents[1] / ".." / "shared" / "data"


def pytest_configure() -> None:
    """Take Ctrl-C also in the background, where a shell lets it be ignored: programs under test would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def shared_data() -> Path:
    """Return the folder of shared input; skip the test where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is not beside this checkout")
    return SHARED_DATA.resolve()


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    root = tmp_path_factory.getbasetemp()
    return Once(root.parent if root.name.startswith("popen-") else root)  # the workers' folders lie side by side


@pytest.fixture(scope="session")
def aws() -> "Iterator[FakeAws]":
    # One for all folders: of two at a time, the environment would lead new clients to the one that started last.
    from rig.aws.fake_aws import running_aws  # noqa: PLC0415  (loading moto takes longer than most tests)

    with running_aws() as fake:
        yield fake


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MEMBERSHIPS_EXPORT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Undo what a program under test does to the logs of this process: the next test reads them, too."""
    loggers = [logging.getLogger(), logging.getLogger("memberships_export")]
    before = [(logger.level, logger.handlers[:], logger.filters[:]) for logger in loggers]
    forms = [(handler, handler.formatter) for logger in loggers for handler in logger.handlers]
    yield
    for logger, (level, handlers, filters) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:], logger.filters[:] = handlers, filters
    for handler, form in forms:
        handler.setFormatter(form)


@pytest.fixture(scope="session", autouse=True)
def _only_loopback() -> Iterator[None]:
    # Not by an audit hook, which would see more: while one runs, no other thread can set its trace function (CPython
    # 3.11), so that with coverage measured a thread fails to start now and then.
    with pytest.MonkeyPatch.context() as patched:
        for name in ("connect", "connect_ex"):
            patched.setattr(socket.socket, name, _with_checked_address(getattr(socket.socket, name)))
        patched.setattr(socket.socket, "sendto", _with_checked_address(socket.socket.sendto))
        patched.setattr(socket, "getaddrinfo", _with_checked_host(socket.getaddrinfo))
        yield


def _with_checked_address(call: Callable[..., Any]) -> Callable[..., Any]:
    def checked(own: socket.socket, *args: Any) -> Any:  # noqa: ANN401  (whatever the call takes and gives)
        address = args[-1]
        if isinstance(address, tuple):  # AF_UNIX and others are no tuples
            _refuse_other_machines(address[0])
        return call(own, *args)

    return checked


def _with_checked_host(call: Callable[..., Any]) -> Callable[..., Any]:
    def checked(host: object, *args: Any, **named: Any) -> Any:  # noqa: ANN401  (whatever the call takes and gives)
        if host is not None and not _is_address(host):  # an address is not looked up
            _refuse_other_machines(host)
        return call(host, *args, **named)

    return checked


def _refuse_other_machines(host: object) -> None:
    if not _is_loopback(host):
        # Not an Exception: code that expects network errors must not be able to catch it.
        pytest.fail(f"A test tried to reach {host!r}; tests stay on loopback: use a fake or a server on 127.0.0.1")


def _is_address(host: object) -> bool:
    try:
        ipaddress.ip_address(_text(host))
    except ValueError:
        return False
    return True


def _is_loopback(host: object) -> bool:
    name = _text(host)
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


def _text(host: object) -> str:
    return host.decode() if isinstance(host, bytes) else str(host)
