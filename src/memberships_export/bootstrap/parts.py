"""What a process is made of on whichever backend, and so what is the same on one machine and on AWS.

The Lambda functions load this module: it imports nothing that only one machine or only the API needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.adapters.mail.sendgrid.client import SendGrid, SendGridSettings
from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.ports import Mailer, MembershipSource, Ports
from memberships_export.settings import Settings

ISSUER = "memberships-export"  # of the tokens that workers make

Secret = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Keys of this installation, each by calling it. None is logged or shown.

    `jwt` signs users' tokens, `service` the worker's own tokens, `links` the download links.
    """

    jwt: Secret
    service: Secret
    links: Secret


class Backend(Protocol):
    """Where records, queues, files and secrets of one installation are."""

    @property
    def secrets(self) -> Secrets:
        """The keys that sign tokens and links, for users and for the memberships API."""
        ...

    def connect(self, memberships_url: str | None) -> Ports:
        """Open the adapters. Without a memberships URL the process fetches nothing."""
        ...


def utc_now() -> datetime:
    """Return the time of the machine, which may be set back at any moment."""
    return datetime.now(UTC)


def memberships(settings: Settings, url: str, service_secret: Secret) -> MembershipSource:
    """Return the memberships API at `url`, asked with tokens of our own. The secret is read for each token."""

    def token(user_id: str) -> str:
        audience = settings.service_audience
        return ServiceTokens(secret=service_secret(), issuer=ISSUER, audience=audience, clock=utc_now)(user_id)

    seconds = settings.memberships_timeout_seconds
    return MembershipsHttp(url, service_token=token, limits=HttpLimits(read_seconds=seconds, total_seconds=seconds))


def sendgrid(settings: Settings, api_key: Secret) -> Mailer:
    """Return SendGrid as the mailer. The key is read for each mail."""
    return SendGrid(SendGridSettings(base_url=settings.sendgrid_url, mail_from=settings.mail_from, api_key=api_key))
