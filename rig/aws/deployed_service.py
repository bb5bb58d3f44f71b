"""The deployed service at work: the API in a process of its own, and the built functions behind their queues."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from memberships_export.adapters.identity.service_tokens import mint_user_token
from rig.aws.deployment import Deployment
from rig.aws.event_source_mapping import EventSourceMapping
from rig.aws.fake_aws import FakeAws
from rig.aws.lambda_runtime import FunctionSettings, LambdaFunction
from rig.export_client import ExportClient
from rig.loopback import free_port
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from rig.waiting import PATIENCE_SECONDS, until

_JWT_SECRET = "stands-for-the-identity-provider-of-a-deployment"
_PREFIX = "MEMBERSHIPS_EXPORT_"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is outside of the stack."""

    aws: FakeAws
    memberships: FakeMemberships
    sendgrid: FakeSendGrid


@dataclass
class DeployedService:
    """Programs with the settings of the deployment, except where the outside world is: that is on loopback."""

    deployment: Deployment
    code: Path  # of the functions, unpacked
    around: Surroundings
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)  # on top of the deployed ones
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def variables(self, program: str, given: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a program that the deployment tells this; its access key is its name."""
        elsewhere = {"PUBLIC_URL": self.url, "MEMBERSHIPS_URL": self.around.memberships.url}
        known = {_PREFIX + name: url for name, url in elsewhere.items() if _PREFIX + name in given}
        if _PREFIX + "MAILER" in given:
            known[_PREFIX + "SENDGRID_URL"] = self.around.sendgrid.url
        own = {_PREFIX + name: value for name, value in self.settings.items()}
        return {**given, **known, **own, **self._as(program)}

    def function(self, name: str) -> LambdaFunction:
        deployed = self.deployment.functions[name]
        return LambdaFunction(
            FunctionSettings(
                name=name,
                code=self.code,
                handler=deployed.handler,
                timeout_seconds=deployed.timeout_seconds,
                environment=self.variables(name, deployed.environment),
                log=self.folder / "log.txt",
            )
        )

    @contextmanager
    def awake(self) -> Iterator[list[EventSourceMapping]]:
        """Let all queues wake their functions."""
        with ExitStack() as stack:
            mappings = []
            for deployed in self.deployment.mappings:
                functions = [stack.enter_context(self.function(deployed.function))]  # one process is enough here
                mapping = EventSourceMapping(
                    self.around.aws.sqs, deployed.queue_url, functions, batch_size=deployed.batch_size
                )
                mappings.append(stack.enter_context(mapping))
            yield mappings

    @contextmanager
    def api(self) -> Iterator[None]:
        """Run the container's command with the container's variables."""
        with (self.folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [Path(sys.executable).parent / "memberships-export", "api"],
                env={"PATH": os.environ["PATH"], **self.api_variables()},
                stdout=log,
                stderr=log,
            )
            try:
                self.until(self.client("nobody").answers, "the API to answer")
                yield
            finally:
                process.terminate()
                process.wait(PATIENCE_SECONDS)

    def api_variables(self) -> dict[str, str]:
        """Return the container's variables, with a secret in place of the identity provider's keys."""
        own = {"HOST": "127.0.0.1", "PORT": str(self.port), "JWKS_URL": "", "JWT_SECRET": _JWT_SECRET}
        key = {"SENDGRID_WEBHOOK_KEY": self.around.sendgrid.signer.public_key}
        given = self.variables("memberships-api", self.deployment.api)
        return given | {_PREFIX + name: value for name, value in (own | key).items()}

    def client(self, user_id: str, email: str = "member@example.org") -> ExportClient:
        return ExportClient(self.url, lambda: self.token(user_id, email))

    def token(self, user_id: str, email: str = "member@example.org") -> str:
        """Make a token of a member, as the identity provider would."""
        return mint_user_token(
            secret=_JWT_SECRET,
            issuer=None,
            audience=self.deployment.api[_PREFIX + "JWT_AUDIENCE"],
            user_id=user_id,
            email=email,
            lifetime=timedelta(hours=1),
        )

    def desk(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Type a command of the dead letter desk, as an operator."""
        return self.operate("dlq", *arguments)

    def audit(self) -> list[dict[str, str]]:
        """Read the audit log, as an operator."""
        entries: list[dict[str, str]] = json.loads(self.operate("audit", "--json").stdout)["entries"]
        return entries

    def operate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Type a command as an operator, who has taken the role of the stack."""
        return subprocess.run(
            [Path(sys.executable).parent / "memberships-export", *arguments, "--backend", "aws"],
            env={"PATH": os.environ["PATH"], "COLUMNS": "160", **self.operator_variables()},
            capture_output=True,
            text=True,
            check=False,
        )

    def operator_variables(self) -> dict[str, str]:
        """Return what a person exports from the stack's output for the dead letter desk."""
        given = dict(pair.split("=", 1) for pair in self.deployment.outputs["OperatorSettings"].split(" "))
        return {**given, **self._as("Operator")}

    def _as(self, program: str) -> dict[str, str]:
        return self.around.aws.variables | {"AWS_ACCESS_KEY_ID": program}

    def until(self, look: Callable[[], object], what: str) -> None:
        """Wait as long as anything moves."""
        around, log = self.around, self.folder / "log.txt"
        until(look, what, progress=lambda: (around.aws.changes, log.stat().st_size), tell=self.log)

    def log(self) -> str:
        return (self.folder / "log.txt").read_text(errors="replace")[-4000:]
