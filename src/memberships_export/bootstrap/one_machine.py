"""Settings become wired use cases: the only place that knows which adapter stands behind which port."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.folder import Folder
from memberships_export.adapters.embedded.secrets_file import kept_secret
from memberships_export.adapters.embedded.sqlite_queue import SqliteDeadLetters, SqliteExportQueue
from memberships_export.adapters.embedded.sqlite_store import SqliteExportStore
from memberships_export.adapters.identity.jwt import (
    AnyOf,
    JwksVerifier,
    ServiceTokens,
    SharedSecretVerifier,
    mint_user_token,
)
from memberships_export.adapters.mail.outbox import Outbox
from memberships_export.adapters.mail.sendgrid.client import SendGrid, SendGridSettings
from memberships_export.adapters.mail.sendgrid.events import SendGridWebhook
from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.ports import Mailer, Ports
from memberships_export.service.links import DownloadLinks
from memberships_export.service.mail_events.webhook import MailWebhook
from memberships_export.service.operator.redrive import RedriveExports
from memberships_export.service.user.callers import TokenVerifier
from memberships_export.settings import Settings

_ISSUER = "memberships-export"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Keys of this installation, each by calling it. None is logged or shown.

    `jwt` signs users' tokens, `service` the worker's own tokens, `links` the download links.
    """

    jwt: Callable[[], str]
    service: Callable[[], str]
    links: Callable[[], str]


def connect(settings: Settings, memberships_url: str) -> Ports:
    """Choose and open the adapters."""
    if settings.backend == "aws":
        from memberships_export.bootstrap.aws import connect_aws  # noqa: PLC0415  (one machine has no boto3)

        return connect_aws(settings, memberships_url)
    database = Database(settings.data_dir / "exports.db")
    secrets = load_secrets(settings)
    tokens = ServiceTokens(secret=secrets.service(), issuer=_ISSUER, audience=settings.service_audience, clock=utc_now)
    return Ports(
        store=SqliteExportStore(database),
        queue=SqliteExportQueue(
            database,
            clock=utc_now,
            visibility=timedelta(seconds=settings.visibility_seconds),
            max_receives=settings.policy.max_receives,
        ),
        dead_letters=SqliteDeadLetters(database, clock=utc_now),
        files=Folder(settings.data_dir / "files"),
        mailer=_mailer(settings),
        source=MembershipsHttp(
            memberships_url,
            service_token=tokens,
            limits=_limits(settings),
        ),
        clock=utc_now,
    )


def operator_desk(settings: Settings) -> RedriveExports:
    """Open the dead letter desk of this machine's service."""
    ports = connect(settings, settings.memberships_url or "http://127.0.0.1")  # it fetches no memberships itself
    return RedriveExports(
        store=ports.store,
        queue=ports.queue,
        dead_letters=ports.dead_letters,
        clock=ports.clock,
        policy=settings.policy,
    )


def download_links(settings: Settings, public_url: str) -> DownloadLinks:
    """Make the links for mails; `public_url` is where users reach the API."""
    secret = load_secrets(settings).links
    secret()  # one that cannot be read is better found at the start than with the first link
    return DownloadLinks(secret=secret, public_url=public_url)


def user_tokens(settings: Settings) -> TokenVerifier:
    """Who may use the export routes: holders of a user's token."""
    if settings.jwks_url:
        return JwksVerifier(settings.jwks_url, audience=settings.jwt_audience, issuer=settings.jwt_issuer)
    secret = load_secrets(settings).jwt()
    return SharedSecretVerifier(secret, audience=settings.jwt_audience, issuer=settings.jwt_issuer)


def mint_token(settings: Settings, user_id: str, email: str, lifetime: timedelta) -> str:
    """Make a user's token with the HS256 secret of this installation, to try the API with."""
    return mint_user_token(
        secret=load_secrets(settings).jwt(),
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        user_id=user_id,
        email=email,
        lifetime=lifetime,
    )


def membership_tokens(settings: Settings) -> TokenVerifier:
    """Who may use the bundled memberships API: users, and our worker on behalf of one user."""
    service = SharedSecretVerifier(load_secrets(settings).service(), audience=settings.service_audience, issuer=_ISSUER)
    return AnyOf([service, user_tokens(settings)])


def mail_webhook(settings: Settings) -> MailWebhook | None:
    """Return the reader of the mail service's signed events, None when its key is not set."""
    return SendGridWebhook(settings.sendgrid_webhook_key) if settings.sendgrid_webhook_key else None


def load_secrets(settings: Settings) -> Secrets:
    """Take the secrets from the settings; what is not set there is made once and kept in the data folder.

    On AWS they come from Secrets Manager, and users' tokens from an identity provider.
    """
    if settings.backend == "aws":
        from memberships_export.bootstrap.aws import link_secret, service_secret  # noqa: PLC0415  (no botocore here)

        return Secrets(
            jwt=lambda: settings.jwt_secret or "", service=service_secret(settings), links=link_secret(settings)
        )
    folder = settings.data_dir / "secrets"
    return Secrets(
        jwt=_kept(settings.jwt_secret, folder / "jwt"),
        service=_kept(settings.service_secret, folder / "service"),
        links=_kept(settings.link_secret, folder / "links"),
    )


def _kept(value: str | None, path: Path) -> Callable[[], str]:
    known = value or kept_secret(path)
    return lambda: known


def _limits(settings: Settings) -> HttpLimits:
    seconds = settings.memberships_timeout_seconds
    return HttpLimits(read_seconds=seconds, total_seconds=seconds)


def utc_now() -> datetime:
    """Read the clock."""
    return datetime.now(UTC)


def _mailer(settings: Settings) -> Mailer:
    if settings.mailer == "outbox":
        return Outbox(outbox_folder(settings), mail_from=settings.mail_from, clock=utc_now)
    key = settings.sendgrid_api_key or ""
    return SendGrid(SendGridSettings(base_url=settings.sendgrid_url, mail_from=settings.mail_from, api_key=lambda: key))


def outbox_folder(settings: Settings) -> Path:
    """Return the folder of the outbox mailer."""
    return settings.data_dir / "outbox"
