"""`make demo-aws`: one export that arrives and one that fails, is redriven and arrives, on a simulated AWS.

With --keep the simulated AWS stays until Ctrl-C, with a dead letter in it, and the variables are told that lead a
terminal there: the AWS half of the runbook can be practised.

The template is the one that `make synth` writes, deployed to moto through CloudFormation; the functions' code is the
bundle that `make lambda` builds, run by Lambda's own runtime client; the API is the container's command. Simulated are
AWS itself, the memberships API and SendGrid. Nothing leaves this machine.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from threading import Event

from infra.topology import TOPOLOGIES
from rig.aws.built_bundle import build_here, unpack
from rig.aws.deployed_service import DeployedService, Surroundings
from rig.aws.deployment import deploy
from rig.aws.fake_aws import running_aws
from rig.aws.synthesis import run_app, stand_in_bundle
from rig.export_client import Answer, ExportClient
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.sendgrid_behaviour import status

ROWS = 1_200
PROGRAM = "memberships-export"


def main() -> None:
    """Set everything up, show it, take it down."""
    parser = argparse.ArgumentParser(prog="make demo-aws", description=__doc__)
    parser.add_argument("--topology", choices=tuple(TOPOLOGIES), default="one", help="one function, or three")
    parser.add_argument("--keep", action="store_true", help="keep it until Ctrl-C, to practise on")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):  # also a terminal that is closed leaves nothing behind
        signal.signal(number, signal.default_int_handler)
    try:
        folder = TemporaryDirectory(prefix="memberships-export-demo-aws-")
        with folder as name, set_up(Path(name), options.topology) as service:
            show(service)
            if options.keep:
                keep(service, Event().wait)
        say("\nThe simulated AWS is gone, with all that was in it. How to do it on the real one: docs/deploy-aws.md")
    except KeyboardInterrupt:
        sys.exit("Stopped; nothing is left.")


@contextmanager
def set_up(folder: Path, topology: str) -> Iterator[DeployedService]:
    """Build, synthesise, deploy, start."""
    say("Building the functions' code for this machine (make lambda) ...")
    bundle = build_here(folder)
    say("Writing the template (make synth) ...")
    context = {"topology": topology, "membershipsUrl": "https://api.example.org"}
    written = run_app(folder / "cdk", stand_in_bundle(folder), context)
    if written.returncode:
        sys.exit(written.stdout + written.stderr)
    with running_aws() as aws, FakeMemberships(ROWS) as memberships, FakeSendGrid() as sendgrid:
        say(f"Deploying it with CloudFormation to a simulated AWS at {aws.url} ...")
        around = Surroundings(aws=aws, memberships=memberships, sendgrid=sendgrid)
        code = unpack(bundle, folder / "code")
        deployment = deploy(aws, folder / "cdk")
        service = DeployedService(deployment=deployment, code=code, around=around, folder=folder)
        with service.api():
            yield service


def show(service: DeployedService) -> None:
    """Let one export arrive, and one fail, become a dead letter, be redriven and arrive."""
    _tell_what_is_there(service)
    with service.awake():
        say("\n--- An export that arrives")
        arrives = service.client("user-1")
        _follow(arrives, _request(arrives))
        _tell_mail(service)

        say("\n--- An export whose mail SendGrid refuses (HTTP 400)")
        service.around.sendgrid.follow(status(400))
        fails = service.client("user-2")
        export_id = _request(fails)
        _follow(fails, export_id)
        service.until(lambda: export_id in _desk(service, "list"), "the dead letter")
        _type(service, "list")

        say("\n--- SendGrid is fine again: redrive")
        _type(service, "redrive", "--all")
        _follow(fails, export_id)
        _tell_mail(service)


def keep(service: DeployedService, until_told: Callable[[], object]) -> None:
    """Leave one dead letter to a person, and run on until that is enough."""
    with service.awake():
        service.around.sendgrid.follow(status(400))
        fails = service.client("user-3")
        export_id = _request(fails)
        _follow(fails, export_id)
        service.until(lambda: export_id in _desk(service, "list"), "the dead letter")
        say(f"\n--- Yours until Ctrl-C. In another terminal:\n. {_practice_file(service)}")
        say("memberships-export dlq list")
        say(f"Logs of the API and the functions: {service.folder / 'log.txt'}. SendGrid takes mails again.")
        until_told()


def _practice_file(service: DeployedService) -> Path:
    """Write what leads a shell to this AWS, as an operator and as user-3."""
    member = {"MEMBERSHIPS_EXPORT_URL": service.url, "MEMBERSHIPS_EXPORT_TOKEN": service.token("user-3")}
    variables = service.operator_variables() | member
    commands = Path(sys.executable).parent
    lines = [f"export PATH={quote(str(commands))}:$PATH", "unset AWS_PROFILE AWS_SESSION_TOKEN"]
    lines += [f"export {name}={quote(value)}" for name, value in variables.items()]
    path = service.folder / "aws.env"
    path.touch(mode=0o600)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def _tell_what_is_there(service: DeployedService) -> None:
    for mapping in service.deployment.mappings:
        queue = mapping.queue_url.rsplit("/", 1)[1]
        say(f"Queue {queue} ({queue}_dlq behind it) wakes function {mapping.function}")
    others = service.deployment.functions.keys() - {mapping.function for mapping in service.deployment.mappings}
    say(f"Function {', '.join(others)} runs on a schedule")
    say(f"Service memberships-api listens at {service.url}")


def _request(client: ExportClient) -> str:
    answer = client.request()
    assert answer, "The API does not answer."
    say(f"GET {client.url}/memberships/export -> {answer['status_code']} {answer['status']}, {answer['exportId']}")
    return str(answer["exportId"])


def _follow(client: ExportClient, export_id: str) -> None:
    ended = client.ended(export_id)
    say(f"GET {ended['statusUrl']} -> {ended['status']}{_why(ended)}")


def _why(ended: Answer) -> str:
    if ended["status"] == "failed":
        return f" at {ended['error']['stage']}: {ended['error']['reason']}"
    return f", {ended['file']['rows']:,} rows, SHA-256 {ended['file']['sha256']}"


def _tell_mail(service: DeployedService) -> None:
    mail = service.around.sendgrid.accepted[-1]
    assert mail.attachment is not None
    first, second = mail.attachment.decode("utf-8-sig").splitlines()[:2]
    say(f"Mail to {mail.to}: {mail.subject!r}, with {mail.attachment_name}, {len(mail.attachment):,} bytes:")
    say(f"    {first}\n    {second}")


def _type(service: DeployedService, *arguments: str) -> None:
    say(f"$ {PROGRAM} dlq {' '.join(arguments)} --backend aws")
    say(_desk(service, *arguments).rstrip())


def _desk(service: DeployedService, *arguments: str) -> str:
    done = service.desk(*arguments)
    return done.stdout + done.stderr


def say(text: str) -> None:
    """Write a line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
