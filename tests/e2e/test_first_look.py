"""What a service finds out at its start about an API of another shape, and that it starts whatever that is."""

import json
import signal
import socket
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from rig.services.apis.every import EVERY
from rig.services.apis.held import Holdings
from rig.services.fake_memberships import FakeMemberships
from rig.waiting import PATIENCE_SECONDS
from tests.e2e.command_line import Running, environ_of, running
from tests.life.patient import PATIENT

SCOPED = """
version = 1
columns = [{ name = "id" }, { name = "state" }]
request = { path = "/memberships", params = { member = "{user.id}" } }
auth = { type = "api_key", name = "X-API-Key", api_key = "env:API_KEY" }
rows = { path = "", key = ["id"] }
paginator = { type = "header_link" }
"""


def of_readiness(service: Running) -> object:
    with urlopen(f"{service.url}/readyz?verbose=1") as answer:  # noqa: S310  (our own address)
        return json.loads(answer.read()).get("api")


def line_of(service: Running, event: str) -> str:
    found = service.until(
        lambda: [line for line in service.log.read_text().splitlines() if f"event={event}" in line], f"event={event}"
    )
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("switches, problems", [((), []), (("filter-ignored",), ["canary"])])
def test_a_service_looks_once_at_an_api_of_another_shape(
    tmp_path: Path, switches: tuple[str, ...], problems: list[str]
) -> None:
    profile = tmp_path / "club.toml"
    profile.write_text(SCOPED)
    with EVERY["linked-array"](Holdings({"42": 3}), *switches) as api:
        environ = environ_of(tmp_path / "data", memberships_url=api.url, profile=str(profile))
        with running(environ | {"API_KEY": "plain-key"}, tmp_path) as service:
            line = line_of(service, "api_checked")
            found = service.until(lambda: of_readiness(service), "what was found")

            assert f"problems={len(problems)} " in line
            assert isinstance(found, dict)
            assert (found["profile"], found["problems"]) == ("club.toml", problems)
            assert "name=club.toml sha256=" in line_of(service, "profile")
            assert len(api.calls) == 1


def test_an_api_that_never_answers_delays_neither_start_nor_stop(tmp_path: Path) -> None:
    profile = tmp_path / "club.toml"
    profile.write_text(SCOPED)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environ = environ_of(tmp_path / "data", memberships_url=url, profile=str(profile)) | {"API_KEY": "plain-key"}
        with running(environ, tmp_path, program=[sys.executable, *PATIENT]) as service:
            waiting, _ = silent.accept()  # the call has come
            with waiting:
                assert of_readiness(service) is None
                service.process.send_signal(signal.SIGTERM)
                assert service.process.wait(PATIENCE_SECONDS) == 0
    assert "event=stopped clean=true" in service.log.read_text()


def test_an_api_by_our_own_contract_is_not_asked_at_the_start(tmp_path: Path) -> None:
    with FakeMemberships(rows=3) as api:
        environ = environ_of(tmp_path / "data", memberships_url=api.url)
        with running(environ, tmp_path) as service:
            user = service.as_user("user-1", "you@example.org")
            user.ask("watch", user.ask("request"))

            assert len(api.calls) == 1
            assert "name=memberships sha256=" in line_of(service, "profile")
            assert "event=api_checked" not in service.log.read_text()
