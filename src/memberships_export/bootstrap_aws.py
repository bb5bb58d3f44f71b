"""The AWS form: settings become ports on SQS, DynamoDB, S3 and SendGrid. A Lambda function loads nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime

import boto3

from memberships_export.adapters.aws import connections
from memberships_export.adapters.aws.dynamodb_store import DynamoDbExportStore
from memberships_export.adapters.aws.s3_files import S3Files
from memberships_export.adapters.aws.secrets_manager import RotatingSecret
from memberships_export.adapters.aws.sqs_dead_letters import SqsDeadLetters
from memberships_export.adapters.aws.sqs_queue import SqsExportQueue
from memberships_export.adapters.aws.stage_queues import StageQueues
from memberships_export.adapters.memberships_http import HttpLimits, MembershipsHttp
from memberships_export.adapters.sendgrid import SendGrid, SendGridSettings
from memberships_export.adapters.tokens import ServiceTokens
from memberships_export.domain.export import Stage
from memberships_export.ports import Mailer, MembershipSource
from memberships_export.service.assembly import Ports, Services, assemble
from memberships_export.service.download_links import DownloadLinks
from memberships_export.settings import Settings, SettingsError, variable

_ISSUER = "memberships-export"


def function_services(settings: Settings) -> tuple[Ports, Services]:
    """Open the adapters and wire the use cases of one Lambda function."""
    ports = connect_aws(settings, settings.memberships_url)
    links = DownloadLinks(secret=service_secret(settings).encode(), public_url=settings.public_url or "")
    return ports, assemble(ports, settings.policy, links, settings.stages)


def connect_aws(settings: Settings, memberships_url: str | None) -> Ports:
    """Open the adapters. Without a memberships URL, or a mailer, the process has no such step."""
    region = _region()
    sqs = connections.sqs_client(region)
    bucket = connections.BucketSettings(name=settings.bucket or "", region=region)
    files = S3Files(connections.s3_store(bucket), bucket.name, lambda: connections.s3_signer(region))
    queues = _queues(settings)
    opened = {stage: SqsExportQueue(sqs, url) for stage, url in queues.items()}
    own = next(stage for stage in Stage if stage in settings.stages)
    return Ports(
        store=DynamoDbExportStore(connections.dynamodb_client(region), settings.table or "", utc_now),
        queue=StageQueues(opened[own], opened),
        dead_letters=SqsDeadLetters(sqs, f"{queues[own]}_dlq"),
        files=files,
        mailer=_mailer(settings),
        source=_source(settings, memberships_url),
        clock=utc_now,
    )


def service_secret(settings: Settings) -> str:
    """Return the secret that signs service tokens and links."""
    return settings.service_secret or _secret(settings.service_secret_id)()


def utc_now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


def _queues(settings: Settings) -> dict[Stage, str]:
    first = settings.queue_url or ""
    return {
        Stage.FETCH: first,
        Stage.RENDER: settings.render_queue_url or first,
        Stage.DELIVER: settings.deliver_queue_url or first,
    }


def _source(settings: Settings, url: str | None) -> MembershipSource | None:
    if url is None:
        return None
    tokens = ServiceTokens(
        secret=service_secret(settings), issuer=_ISSUER, audience=settings.service_audience, clock=utc_now
    )
    limits = HttpLimits(
        read_seconds=settings.memberships_timeout_seconds, total_seconds=settings.memberships_timeout_seconds
    )
    return MembershipsHttp(url, service_token=tokens, limits=limits)


def _mailer(settings: Settings) -> Mailer | None:
    if settings.mailer != "sendgrid":
        return None
    key = _fixed(settings.sendgrid_api_key) if settings.sendgrid_api_key else _secret(settings.sendgrid_secret)
    return SendGrid(SendGridSettings(base_url=settings.sendgrid_url, mail_from=settings.mail_from, api_key=key))


def _fixed(value: str) -> Callable[[], str]:
    return lambda: value


def _secret(secret_id: str | None) -> RotatingSecret:
    return RotatingSecret(lambda: boto3.client("secretsmanager", region_name=_region()), secret_id or "")


def _region() -> str:
    region = boto3.session.Session().region_name
    if not region:
        raise SettingsError(
            ["AWS_DEFAULT_REGION is not set: set it to the region of the queues, such as eu-central-1."]
        )
    return region


def check_worker(settings: Settings) -> None:
    """Refuse settings with which a worker could not take its own steps. Raises SettingsError."""
    problems = []
    if Stage.FETCH in settings.stages and not settings.memberships_url:
        problems.append(f"{variable('memberships_url')} is not set: this function fetches memberships.")
    if Stage.DELIVER in settings.stages and settings.mailer != "sendgrid":
        problems.append(f"{variable('mailer')} is {settings.mailer}: this function mails, so it must be sendgrid.")
    if problems:
        raise SettingsError(problems)
