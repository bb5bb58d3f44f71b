"""What all outgoing calls have in common: they go straight to their host, and say who is calling."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.adapters.source.call import MembershipsHttp
from memberships_export.domain.export.record import Evidence
from memberships_export.entrypoints.cli.ask.client import ExportsClient
from memberships_export.entrypoints.cli.exits import CommandError
from memberships_export.logs.about import about
from memberships_export.version import NAME, USER_AGENT, VERSION
from rig.loopback import LoopbackHandler, LoopbackServer
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from tests.contract.mailers import a_mail, sendgrid
from tests.readers import own_page

ROOT = Path(__file__).parents[3]
TOKENS = ServiceTokens("s" * 32, "memberships-export", "memberships-api")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    """A server that every variable for proxies names, and that nobody should call."""
    with LoopbackServer(LoopbackHandler) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, server.url)
            monkeypatch.setenv(name.upper(), server.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield server


def test_the_version_in_the_code_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (project["name"], project["version"]) == (NAME, VERSION)
    assert f"{NAME}/{VERSION}" == USER_AGENT


def test_the_memberships_api_is_told_the_request_that_is_worked_on() -> None:
    with FakeMemberships(5) as fake, about(export="e-1", request="mine"):
        own_page(MembershipsHttp(fake.url, TOKENS), "anna", None, 10)
    assert fake.headers[0]["X-Request-Id"] == "mine"
    assert fake.headers[0]["User-Agent"] == USER_AGENT


def test_a_page_is_fetched_without_a_proxy_and_with_our_name(proxy: LoopbackServer) -> None:
    with FakeMemberships(5) as fake:
        own_page(MembershipsHttp(fake.url, TOKENS), "anna", None, 10)
    assert fake.headers[0]["User-Agent"] == USER_AGENT
    assert "X-Request-Id" not in fake.headers[0]
    assert proxy.accepted == 0


def test_a_mail_leaves_without_a_proxy_and_with_our_name(proxy: LoopbackServer) -> None:
    with FakeSendGrid() as fake:
        assert sendgrid(fake.url).send(a_mail()).evidence is Evidence.ACCEPTED
    assert fake.mails[0].headers["User-Agent"] == USER_AGENT
    assert proxy.accepted == 0


def test_the_command_line_asks_without_a_proxy_and_with_our_name(proxy: LoopbackServer) -> None:
    with FakeMemberships(5, ["status:200"]) as fake:
        with pytest.raises(CommandError):
            ExportsClient(fake.url, TOKENS("anna")).get_export()
        assert fake.accepted == 1
    assert proxy.accepted == 0
