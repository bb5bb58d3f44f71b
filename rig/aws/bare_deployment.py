"""What a deployment needs, made without its template: quick to make, for tests of what can go wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import boto3

from memberships_export.bootstrap.backend import connect
from memberships_export.domain.export.record import Export
from memberships_export.ports import Ports
from memberships_export.service.assembly import Services, assemble
from memberships_export.service.links import DownloadLinks
from memberships_export.service.user.request import Wish
from memberships_export.settings import read_settings
from rig.aws.built_bundle import EXPORT, SWEEP
from rig.aws.event_source_mapping import EventSourceMapping
from rig.aws.fake_aws import REGION, FakeAws
from rig.aws.lambda_runtime import FunctionSettings, LambdaFunction
from rig.aws.queue_pair import QueuePair
from rig.services.fake_memberships import FakeMemberships
from rig.services.fake_sendgrid import FakeSendGrid
from rig.waiting import until

_PREFIX = "MEMBERSHIPS_EXPORT_"
_LINKS = DownloadLinks(secret=lambda: "s" * 32, public_url="https://exports.example.org")


@dataclass
class BareDeployment:
    """Queues, table, bucket and secrets, and the environment of the function that names them."""

    aws: FakeAws
    memberships: FakeMemberships
    sendgrid: FakeSendGrid
    queues: QueuePair
    environ: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        client = boto3.client("secretsmanager", region_name=REGION)
        name = self.queues.url.rsplit("/", 1)[1]
        settings = {
            "BACKEND": "aws",
            "TABLE": self.aws.new_table(),
            "BUCKET": self.aws.new_bucket().name,
            "QUEUE_URL": self.queues.url,
            "PUBLIC_URL": "https://exports.example.org",
            "MEMBERSHIPS_URL": self.memberships.url,
            "MAILER": "sendgrid",
            "MAIL_FROM": "exports@example.org",
            "SENDGRID_URL": self.sendgrid.url,
            "SENDGRID_SECRET": client.create_secret(Name=f"{name}-sendgrid", SecretString="SG.key")["ARN"],
            "SERVICE_SECRET_ID": client.create_secret(Name=f"{name}-service", SecretString="s" * 40)["ARN"],
            "AUDIT_SECRET_ID": client.create_secret(Name=f"{name}-audit", SecretString="a" * 40)["ARN"],
            "LINK_SECRET_ID": client.create_secret(Name=f"{name}-links", SecretString="l" * 40)["ARN"],
            "PAGE_SIZE": "10",
        }
        self.environ = {_PREFIX + name: value for name, value in settings.items()}

    def with_settings(self, **settings: str) -> "BareDeployment":
        """Give the function more settings, or others."""
        self.environ |= {_PREFIX + name: value for name, value in settings.items()}
        return self

    @property
    def as_api(self) -> tuple[Ports, Services]:
        """What the API and an operator use: no source, no mailer."""
        hidden = (f"{_PREFIX}MEMBERSHIPS_URL", f"{_PREFIX}PROFILE", f"{_PREFIX}MAILER")
        settings = read_settings({name: value for name, value in self.environ.items() if name not in hidden})
        ports = connect(settings, None)
        return ports, assemble(ports, settings.policy, _LINKS)

    def ask(self, user_id: str = "user-1") -> Export:
        _, services = self.as_api
        return services.request(Wish(user_id=user_id, email="member@example.org")).export

    def record_of(self, export: Export) -> Export:
        ports, _ = self.as_api
        found = ports.store.get(export.export_id)
        assert found is not None
        return found

    def let_lease_end(self, export: Export) -> None:
        """Go on to when a worker that was killed holds the export no longer, and its message is shown again."""
        ports, _ = self.as_api
        record = self.record_of(export)
        assert record.lease is not None, "nobody held it"
        ended = replace(record, lease=replace(record.lease, until=ports.clock()))
        assert ports.store.replace(record, ended), "who holds it is still writing"
        self.aws.show_hidden(self.queues.url)

    def exporter(self, code: Path, timeout_seconds: float = 60) -> LambdaFunction:
        """Return ExportMemberships, the built one in a process of its own."""
        return self._function("ExportMemberships", EXPORT, code, timeout_seconds)

    def sweeper(self, code: Path) -> LambdaFunction:
        """Return SweepExports, the built one in a process of its own."""
        return self._function("SweepExports", SWEEP, code, 60)

    def _function(self, name: str, handler: str, code: Path, timeout_seconds: float) -> LambdaFunction:
        environment = {**self.environ, **self.aws.variables}
        settings = FunctionSettings(
            name=name, code=code, handler=handler, timeout_seconds=timeout_seconds, environment=environment
        )
        return LambdaFunction(settings)

    def mapping(self, *functions: LambdaFunction, batch_size: int = 1) -> EventSourceMapping:
        return EventSourceMapping(self.aws.sqs, self.queues.url, functions, batch_size=batch_size)

    def until(self, look: Callable[[], object], what: str) -> None:
        """Wait as long as anything moves."""
        until(look, what, progress=lambda: (self.aws.changes, len(self.memberships.calls), self.sendgrid.requests))

    def left(self) -> int:
        """Count the messages that are still in the queue, hidden ones included."""
        return self.aws.messages_in(self.queues.url)
