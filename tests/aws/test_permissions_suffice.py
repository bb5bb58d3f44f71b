"""Every call that a program makes is one that its role allows. The simulated AWS itself would allow anything."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import urllib3

from memberships_export.adapters.aws import connections
from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.bootstrap.parts import utc_now
from rig.aws.aws_permissions import Needed
from rig.aws.deployed_service import DeployedService, Surroundings
from rig.aws.deployment import Deployment, deploy
from rig.aws.fake_aws import running_aws
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.sendgrid_behaviour import status
from tests.infra.permissions import Table, permissions_of
from tests.infra.synthesis import Synthesised

ROWS = 38_000  # more than 5 MB: uploaded in parts, and mailed as a link
ROLES = {"memberships-api": "ApiRole", "Operator": "Operator"}  # a function's is its name with Role behind it


@pytest.fixture(params=["one", "split"])
def topology(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def service(
    topology: str, synthesised: Callable[[str], Path], code: Path, sendgrid: FakeSendGrid, tmp_path: Path
) -> Iterator[DeployedService]:
    with running_aws() as aws, FakeMemberships(ROWS) as memberships:
        aws.forget_everything()
        around = Surroundings(aws=aws, memberships=memberships, sendgrid=sendgrid)
        deployment = deploy(aws, synthesised(topology))
        service = DeployedService(deployment=deployment, code=code, around=around, folder=tmp_path)
        with service.api():
            yield service


def test_no_program_asks_for_what_its_role_does_not_allow(
    service: DeployedService, topology: str, synthesised: Callable[[str], Path]
) -> None:
    live_a_whole_life(service)

    granted = permissions_of(Synthesised(synthesised(topology)))
    needed = names_of_the_stack(service.around.aws.needed, service.deployment)
    refused = {need for need in needed if need.action not in allowed_to(need.program, need.resource, granted)}
    assert refused == set()
    programs = {need.program for need in needed}
    assert programs == {"memberships-api", "Operator", *service.deployment.functions}, "a program was never at work"


def allowed_to(program: str, resource: str, granted: Table) -> set[str]:
    mine = granted[ROLES.get(program, f"{program}Role")]
    if resource == "StorageFiles":  # which folders a list, or a deletion of many, is about stands in its body
        return {action for name, actions in mine.items() if name.startswith("StorageFiles") for action in actions}
    return mine.get(resource, set())


def names_of_the_stack(needed: list[Needed], deployment: Deployment) -> list[Needed]:
    """Call resources what the template calls them."""
    told = deployment.api
    physical = {
        told["MEMBERSHIPS_EXPORT_TABLE"]: "StorageExports",
        told["MEMBERSHIPS_EXPORT_BUCKET"]: "StorageFiles",
        **{arn: name[:-8] for name, arn in deployment.secrets.items()},
    }

    def named(resource: str) -> str:
        first, slash, rest = resource.partition("/")
        return physical[resource] if resource in physical else physical.get(first, first) + slash + rest

    return [replace(need, resource=named(need.resource)) for need in needed]


WAYS_TO_LOOK = (
    (),
    ("--user", "user-2"),
    ("--email", "member@example.org", "--reveal"),
    ("--status", "queued"),
    ("--status", "completed"),
    ("--code", "mail_refused"),
    ("--since", "1h"),
)


def live_a_whole_life(service: DeployedService) -> None:
    """Let every program do what it does in the life of exports."""
    member, sendgrid = service.client("user-1"), service.around.sendgrid
    with service.awake():
        export_id = (member.request() or {})["exportId"]
        assert member.ended(export_id)["status"] == "completed"
        assert sendgrid.accepted[-1].attachment is None
        for path in ("", f"/{export_id}"):
            assert member.ask("GET", f"/memberships/exports{path}")["status_code"] == 200
        file = member.ask("GET", f"/memberships/exports/{export_id}/file")
        assert urllib3.request("GET", file["location"]).status == 200  # signed by the API, fetched by the member
        assert member.ask("POST", f"/memberships/exports/{export_id}/resend")["status_code"] == 202
        assert member.ended(export_id)["status"] == "completed"
        for mail in sendgrid.accepted:
            sendgrid.signer.events_for(mail, ["delivered"]).post(f"{service.url}/webhooks/sendgrid")

        sendgrid.follow(status(400))
        failing = (member.request() or {})["exportId"]
        assert member.ended(failing)["status"] == "failed"
        service.until(lambda: failing in service.desk("list").stdout, "the letter")
        assert "1 redriven" in service.desk("redrive", "--all").stdout  # moved by SQS
        assert "StartMessageMoveTask" in service.around.aws.calls
        assert member.ended(failing)["status"] == "completed"

        sendgrid.follow(status(400))
        failing = (member.request() or {})["exportId"]
        assert member.ended(failing)["status"] == "failed"
        queue = service.deployment.mappings[0].queue_url
        service.around.aws.sqs.send_message(QueueUrl=queue, MessageBody="not JSON")
        service.until(lambda: service.desk("list").stdout.count("\n") == 3, "both letters")
        assert "1 redriven, 0 finished, 1 refused" in service.desk("redrive", "--all").stdout  # one by one
        assert member.ended(failing)["status"] == "completed"
        assert service.desk("purge", "--yes").returncode == 0
        noted = [entry["action"] for entry in service.audit()]
        assert set(noted) == {"file.downloaded", "export.resent", "dlq.redriven", "dlq.purged", "audit.read"}
    waiting = (member.request() or {})["exportId"]
    _sweep(service, overdue=waiting, expired=export_id)
    assert member.ask("POST", f"/memberships/exports/{waiting}/cancel")["status_code"] == 200
    _operate(service)


def _operate(service: DeployedService) -> None:
    """Type every command of operators, each of its ways to look, and let a member erase an export."""
    member = service.client("user-2")

    def typed(*arguments: str, code: int = 0) -> str:
        done = service.operate(*arguments)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done.stdout

    typed("pause", "--reason", "the API moves")
    paused = (member.request() or {})["exportId"]
    queue = service.deployment.mappings[0].queue_url
    with service.awake():  # a function looks, and lets it be
        service.until(lambda: not service.around.aws.messages_in(queue), "the message to be taken")
    with service.function("SweepExports") as sweeper:
        sweeper.invoke({})
    typed("resume")
    for narrowed in WAYS_TO_LOOK:
        typed("exports", "list", *narrowed)
    typed("exports", "show", paused[:8])
    typed("exports", "cancel", paused)
    service.around.memberships.follow("status:503")
    export_id = (member.request() or {})["exportId"]
    with service.awake():
        service.until(lambda: member.status(export_id)["status"] == "waiting", "the first try")
        typed("exports", "retry", "--all", "--code", "memberships_unavailable")
        assert member.ended(export_id)["status"] == "completed"
        typed("exports", "resend", export_id)
        assert member.ended(export_id)["status"] == "completed"
    typed("exports", "retry", export_id, code=1)
    typed("audit", "--user", "user-2")
    typed("audit", "--export", export_id, "--since", "1d")
    typed("dlq", "list", "--group")
    typed("doctor", code=2)
    assert member.ask("DELETE", f"/memberships/exports/{paused}")["status_code"] == 200
    typed("erase", "--user", "user-2", "--dry-run")
    typed("erase", "--user", "user-2", "--yes")
    typed("erase", "--again")
    typed("erase", "--list")
    with service.function("SweepExports") as sweeper:  # finishes erasures
        sweeper.invoke({})


def _sweep(service: DeployedService, overdue: str, expired: str) -> None:
    """Run the sweeper when one export should be moving, and the files and then the record of another have expired."""
    table = service.deployment.api["MEMBERSHIPS_EXPORT_TABLE"]
    store = DynamoDbExportStore(connections.Clients().dynamodb, table, utc_now)
    past, soon = utc_now() - timedelta(hours=1), utc_now() + timedelta(seconds=3)

    def change(export_id: str, **times: object) -> None:
        export = store.get(export_id)
        assert export is not None
        assert store.replace(export, replace(export, **times))  # type: ignore[arg-type]

    with service.function("SweepExports") as sweeper:
        change(overdue, wake_at=past, nudges=6)  # so often that a long queue explains it no more
        change(expired, wake_at=past, files_until=past)
        assert sweeper.invoke({}) == {"nudge": 1, "delete_files": 1}
        change(expired, wake_at=soon, expires_at=soon)
        service.until(lambda: sweeper.invoke({}) == {"delete_record": 1}, "the record to expire")
