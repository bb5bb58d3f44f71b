"""The AWS form: settings become ports on SQS, DynamoDB, S3 and a mail service. A Lambda function loads nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NoReturn

from memberships_export.adapters.aws.dynamodb_audit import DynamoDbAuditLog
from memberships_export.adapters.aws.dynamodb_desk import DynamoDbExportDesk
from memberships_export.adapters.aws.dynamodb_erasures import DynamoDbErasures
from memberships_export.adapters.aws.dynamodb_state import DynamoDbServiceState
from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.adapters.aws.emf import EmbeddedMetrics
from memberships_export.adapters.aws.function_clients import AwsClients, botocore_clients, function_clients
from memberships_export.adapters.aws.s3_files import S3Files
from memberships_export.adapters.aws.s3_store import BucketSettings, s3_store
from memberships_export.adapters.aws.secrets_manager import RotatingSecret
from memberships_export.adapters.aws.sqs_dead_letters import SqsDeadLetters
from memberships_export.adapters.aws.sqs_queue import SqsExportQueue
from memberships_export.adapters.aws.stage_queues import StageDeadLetters, StageQueues
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.adapters.texts.catalogues import Catalogues
from memberships_export.adapters.texts.zone_names import zone_names
from memberships_export.bootstrap.kept_state import KeptState
from memberships_export.bootstrap.parts import (
    Secret,
    Secrets,
    mail_writer,
    memberships,
    profile_secrets,
    readers,
    sendgrid,
    smtp,
    utc_now,
)
from memberships_export.bootstrap.starting import problems_of_worker
from memberships_export.bootstrap.warm_up import warm_up
from memberships_export.domain.export.record import Stage
from memberships_export.ports import Mailer, Ports
from memberships_export.service.links import DownloadLinks
from memberships_export.service.worker.assembly import Workers, assemble_workers
from memberships_export.service.worker.sweep import VisitAll
from memberships_export.settings import MIN_SECRET, Problem, Settings, SettingsError, variable

_STATE_KEPT_SECONDS = 10.0  # each look at it costs a read


def function_services(
    settings: Settings, environ: Mapping[str, str], visit_all: VisitAll = map
) -> tuple[Ports, Workers]:
    """Open the adapters and wire the use cases of one Lambda function.

    `environ`: says who it is to AWS; `visit_all`: how a sweeper visits exports.
    """
    aws = Aws(settings, function_clients(environ))
    links = DownloadLinks(secret=aws.secrets.links, public_url=settings.public_url or "")
    ports = replace(aws.connect(settings.memberships_url), metrics=EmbeddedMetrics())
    return ports, assemble_workers(ports, settings.policy, links, settings.stages, visit_all)


class Aws:
    """The backend in an account. Nothing is called here: clients and secrets come with their first use."""

    def __init__(self, settings: Settings, clients: AwsClients | None = None) -> None:
        """Make no client yet; they are botocore's, if no others are given. Raises SettingsError without a region."""
        self._settings = settings
        self._clients = clients or botocore_clients()
        if not self._clients.region:
            raise SettingsError(
                ["AWS_DEFAULT_REGION is not set: set it to the region of the queues, such as eu-central-1."]
            )
        self._region = self._clients.region
        self._managed: dict[str, RotatingSecret] = {}

    @property
    def secrets(self) -> Secrets:
        """Take the secrets from the settings, else from Secrets Manager; users' tokens come from elsewhere."""
        settings = self._settings
        return Secrets(
            jwt=lambda: settings.jwt_secret or "",
            service=self._secret(settings.service_secret, settings.service_secret_id, MIN_SECRET),
            links=self._secret(settings.link_secret, settings.link_secret_id, MIN_SECRET),
            audit=self._secret(settings.audit_secret, settings.audit_secret_id, MIN_SECRET),
        )

    @property
    def profile_secrets(self) -> ProfileSecrets:
        """What a profile may name: variables of the environment, and ids of Secrets Manager."""
        return profile_secrets(self._managed_secret)

    def operator(self) -> str:
        """Return the role or the user of the credentials."""
        from memberships_export.adapters.aws.caller import aws_caller  # noqa: PLC0415  (no function asks)

        return aws_caller(self._clients.sts)

    def connect(self, memberships_url: str | None) -> Ports:
        """Open the adapters. Without a memberships URL, or a mailer, the process has no such step."""
        warm_up()
        settings, clients = self._settings, self._clients
        queues = _queues(settings)
        opened = {stage: SqsExportQueue(clients.sqs, url) for stage, url in queues.items()}
        own = [stage for stage in Stage if stage in settings.stages]
        letters = dict.fromkeys(f"{queues[stage]}_dlq" for stage in own)
        return Ports(
            store=DynamoDbExportStore(clients.dynamodb, settings.table or "", utc_now),
            state=KeptState(DynamoDbServiceState(clients.dynamodb, settings.table or ""), _STATE_KEPT_SECONDS),
            desk=DynamoDbExportDesk(clients.dynamodb, settings.table or "", utc_now),
            queue=StageQueues(opened[own[0]], opened),
            dead_letters=StageDeadLetters([SqsDeadLetters(clients.sqs, url) for url in letters]),
            files=self._files(),
            erasures=DynamoDbErasures(clients.dynamodb, settings.table or ""),
            mailer=self._mailer(),
            source=memberships(settings, memberships_url, self.secrets.service, self.profile_secrets)
            if memberships_url
            else None,
            clock=utc_now,
            readers=readers(settings),
            translations=Catalogues(),
            mail_writer=mail_writer(settings),
            zone_names=zone_names,
            audit=DynamoDbAuditLog(clients.dynamodb, settings.table or "", utc_now, settings.policy.keep_audit),
            audit_key=self.secrets.audit,
        )

    def _files(self) -> S3Files:
        bucket = BucketSettings(name=self._settings.bucket or "", region=self._region)
        return S3Files(s3_store(bucket), bucket.name, lambda: self._clients.s3_signer)

    def _mailer(self) -> Mailer | None:
        settings = self._settings
        if settings.mailer == "sendgrid":
            return sendgrid(settings, self._secret(settings.sendgrid_api_key, settings.sendgrid_secret))
        if settings.mailer == "smtp":
            return smtp(settings, self._smtp_password)
        return None

    @property
    def _smtp_password(self) -> Secret:
        settings = self._settings
        if not settings.smtp_user:
            return lambda: ""
        return self._secret(settings.smtp_password, settings.smtp_secret)

    def _managed_secret(self, secret_id: str) -> RotatingSecret:
        """Return the same object for the same id: it keeps what it read."""
        made = RotatingSecret(lambda: self._clients.secrets_manager, secret_id)
        return self._managed.setdefault(secret_id, made)

    def _secret(self, value: str | None, secret_id: str | None, least_bytes: int = 1) -> Secret:
        """Return what gives a secret: the setting itself, or what Secrets Manager holds under its id."""
        if value:
            return lambda: value
        return RotatingSecret(lambda: self._clients.secrets_manager, secret_id or "", least_bytes)


def _queues(settings: Settings) -> dict[Stage, str]:
    first = settings.queue_url or ""
    return {
        Stage.FETCH: first,
        Stage.RENDER: settings.render_queue_url or first,
        Stage.DELIVER: settings.deliver_queue_url or first,
    }


def worker_problems(settings: Settings) -> Iterator[Problem]:
    """Find with which settings a worker could not take its own steps."""
    fetches, delivers = (stage in settings.stages for stage in (Stage.FETCH, Stage.DELIVER))
    if fetches and not settings.memberships_url:
        text = f"{variable('memberships_url')} is not set: this function fetches memberships."
        yield text, {"memberships_url", "stages"}
    if delivers and settings.mailer == "outbox":
        text = f"{variable('mailer')} is outbox: this function mails, so it must be sendgrid or smtp."
        yield text, {"mailer", "stages"}
    if delivers and not settings.public_url:
        text = f"{variable('public_url')} is not set: this function mails links to large files."
        yield text, {"public_url", "stages"}
    yield from problems_of_worker(settings, profile_secrets(_not_read_yet) if fetches else None)


def _not_read_yet(secret_id: str) -> NoReturn:
    """Stand for Secrets Manager while nothing is called: what it keeps is read with its first use."""
    raise NotImplementedError(secret_id)
