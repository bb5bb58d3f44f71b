"""Request to mail without an AWS account: the deployed template, the API's process, the built functions."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rig.aws import demo as demo_aws
from rig.aws.deployed_service import DeployedService, Surroundings
from rig.aws.deployment import deploy
from rig.aws.fake_aws import running_aws
from rig.services.fake_memberships import FakeMemberships, row
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.sendgrid_behaviour import status
from tests.factories import a_page
from tests.readers import own_file

PAGE_SIZE = 10


@dataclass(frozen=True)
class Topology:
    """A topology: its functions, with the queue that wakes each."""

    name: str
    queues: dict[str, str]

    def __str__(self) -> str:
        return self.name


ONE = Topology("one", {"ExportMemberships": "membership_exports"})
SPLIT = Topology(
    "split",
    {
        "FetchMemberships": "membership_exports",
        "RenderCsv": "membership_exports_render",
        "SendExport": "membership_exports_deliver",
    },
)


@pytest.fixture(params=[ONE, SPLIT], ids=str)
def topology(request: pytest.FixtureRequest) -> Topology:
    found: Topology = request.param
    return found


@pytest.fixture
def around(memberships: FakeMemberships, sendgrid: FakeSendGrid) -> Iterator[Surroundings]:
    with running_aws() as aws:
        aws.forget_everything()
        yield Surroundings(aws=aws, memberships=memberships, sendgrid=sendgrid)


@pytest.fixture
def service(
    topology: Topology, around: Surroundings, synthesised: Callable[[str], Path], code: Path, tmp_path: Path
) -> Iterator[DeployedService]:
    deployment = deploy(around.aws, synthesised(topology.name))
    settings = {"PAGE_SIZE": str(PAGE_SIZE)}
    service = DeployedService(deployment=deployment, code=code, around=around, folder=tmp_path, settings=settings)
    with service.api():
        yield service


def expected_file(user_id: str, rows: int) -> bytes:
    return own_file(a_page([row(user_id, n + 1) for n in range(rows)]))


def test_the_message_goes_out_the_mail_arrives_and_a_failing_one_is_redriven(
    topology: Topology, service: DeployedService, memberships: FakeMemberships, sendgrid: FakeSendGrid
) -> None:
    deployed = service.deployment
    assert {mapping.function: mapping.queue_url.rsplit("/", 1)[1] for mapping in deployed.mappings} == topology.queues
    assert {mapping.concurrency for mapping in deployed.mappings} <= {4, 10}
    client = service.client("user-1")
    asked = client.request()
    assert asked is not None
    assert (asked["status_code"], asked["status"]) == (202, "queued")

    with service.awake() as mappings:
        done = client.ended(asked["exportId"])
        assert done["status"] == "completed"
        (mail,) = sendgrid.accepted
        assert (mail.to, mail.attachment) == ("member@example.org", expected_file("user-1", memberships.rows))
        assert done["file"]["rows"] == memberships.rows

        sendgrid.follow(status(400))
        other = service.client("user-2")
        failing = other.request()
        assert failing is not None
        assert other.ended(failing["exportId"])["status"] == "failed"
        service.until(lambda: failing["exportId"] in service.desk("list").stdout, "the letter")
        fetched = len(memberships.calls)
        shown = service.desk("show", failing["exportId"])
        assert "stage: deliver" in shown.stdout
        assert "member@example.org" not in shown.stdout

        redriven = service.desk("redrive", "--all")
        assert redriven.returncode == 0, redriven.stdout + redriven.stderr
        assert "Goes on at step deliver." in redriven.stdout
        assert other.ended(failing["exportId"])["status"] == "completed"

    assert len(memberships.calls) == fetched, "a failure in a later step repeats no earlier one"
    mailed = [(mail.export_id, mail.attachment is not None) for mail in sendgrid.accepted]
    assert mailed == [(asked["exportId"], True), (failing["exportId"], False), (failing["exportId"], True)]
    assert service.desk("list", "--json").stdout.strip() == "[]"
    invoked = {mapping.functions[0].name for mapping in mappings if mapping.invoked}
    assert invoked == set(topology.queues)


@pytest.mark.parametrize("topology", [ONE], indirect=True, ids=str)
def test_a_demo_that_is_kept_can_be_practised_on_with_the_variables_that_it_tells(
    service: DeployedService, capsys: pytest.CaptureFixture[str]
) -> None:
    typed: list[str] = []

    def practise() -> None:
        env_file, _ = capsys.readouterr().out.partition("In another terminal:\n")[2].split("\n", 1)
        script = f"{env_file}; memberships-export dlq list; memberships-export list --json"
        command, environ = ["sh", "-c", script], {"PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
        typed.append(done.stdout)

    demo_aws.keep(service, practise)

    assert "mail_refused" in typed[0]
    assert '"status": "failed"' in typed[0]


@pytest.mark.parametrize("topology", [ONE], indirect=True, ids=str)
def test_the_demo_shows_an_export_that_arrives_and_one_that_is_redriven(
    service: DeployedService, capsys: pytest.CaptureFixture[str]
) -> None:
    demo_aws.show(service)

    shown = capsys.readouterr().out
    assert shown.count("-> completed, 25 rows, SHA-256") == 2
    assert "-> failed at deliver: The mail with your file was not accepted for sending." in shown
    assert "mail_refused" in shown
    assert "Goes on at step deliver.\n1 redriven, 0 finished, 0 refused" in shown
    assert shown.count("Mail to member@example.org: ") == 2
