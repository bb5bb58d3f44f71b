"""What every test can rely on: no ambient settings, no network beyond this machine, the shared data if it is here."""

import ipaddress
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.rig.fake_aws import FakeAws, running_aws

# How fast examples are made says more of what else the machine is doing than of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

SHARED_DATA = Path(__file__).parents[1] / ".." / "shared" / "data"


@pytest.fixture
def shared_data() -> Path:
    """Return the folder of shared input; skip the test where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is not beside this checkout")
    return SHARED_DATA.resolve()


@pytest.fixture(scope="session")
def aws() -> Iterator[FakeAws]:
    # One for all folders: of two at a time, the environment would lead new clients to the one that started last.
    with running_aws() as fake:
        yield fake


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MEMBERSHIPS_EXPORT_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _only_loopback() -> None:
    # An audit hook sees every socket of the process, whichever library opens it, and needs no patching.
    sys.addaudithook(_refuse_other_machines)


def _refuse_other_machines(event: str, args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        host = address[0] if isinstance(address, tuple) else None  # AF_UNIX and others are no tuples
    elif event == "socket.getaddrinfo":
        host = args[0] if not _is_address(args[0]) else None  # an address is not looked up
    else:
        return
    if host is not None and not _is_loopback(host):
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
