"""The built bundle and the synthesised templates: made once, however many workers run the tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rig.aws.bare_deployment import BareDeployment
from rig.aws.built_bundle import build_here, unpack
from rig.aws.fake_aws import FakeAws
from rig.aws.synthesis import run_app, stand_in_bundle
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from tests.once import Once


@pytest.fixture(scope="session")
def zip_here(once: Once) -> Path:
    """Return the bundle for this machine."""
    return once("bundle", build_here) / "ExportMemberships.zip"


@pytest.fixture(scope="session")
def code(once: Once, zip_here: Path) -> Path:
    """Return the unpacked bundle."""
    return once("code", lambda folder: unpack(zip_here, folder))


@pytest.fixture(scope="session")
def synthesised(once: Once) -> Callable[[str], Path]:
    """Return what gives the folder of the template of a topology, in front of an existing memberships API."""

    def synthesise(topology: str) -> Path:
        def run(folder: Path) -> None:
            context = {"topology": topology, "membershipsUrl": "https://api.example.org", "concurrency": "4"}
            done = run_app(folder, stand_in_bundle(folder), context)
            assert done.returncode == 0, done.stdout + done.stderr

        return once(f"cdk-{topology}", run)

    return synthesise


@pytest.fixture
def memberships() -> Iterator[FakeMemberships]:
    with FakeMemberships(rows=25) as fake:
        yield fake


@pytest.fixture
def sendgrid() -> Iterator[FakeSendGrid]:
    with FakeSendGrid() as fake:
        yield fake


@pytest.fixture
def deployment(aws: FakeAws, memberships: FakeMemberships, sendgrid: FakeSendGrid) -> BareDeployment:
    return BareDeployment(aws, memberships, sendgrid, aws.new_queues(visibility_seconds=5400, max_receives=5))
