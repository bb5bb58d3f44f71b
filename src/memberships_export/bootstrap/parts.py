"""What a process is made of on whichever backend, and so what is the same on one machine and on AWS.

The Lambda functions load this module: it imports nothing that only one machine or only the API needs.
"""

import os
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.adapters.source.auth import auth_problems
from memberships_export.adapters.source.call import HttpLimits, MembershipsHttp
from memberships_export.adapters.source.profile_file import OWN, load_profile
from memberships_export.adapters.source.profile_secrets import ManagedSecret, ProfileSecrets
from memberships_export.adapters.texts.mail_writer import TemplateMailWriter
from memberships_export.bootstrap.lazy_readers import LazyReaders
from memberships_export.domain.source.profile import KnownProfile, Profile
from memberships_export.domain.source.profile_file.problems import ProfileInvalid
from memberships_export.domain.source.profile_file.secrets import secrets_named
from memberships_export.domain.source.reader import Reader, reader_of
from memberships_export.ports import Mailer, MailWriter, MembershipSource, Ports
from memberships_export.settings import Settings, SettingsError, variable

ISSUER = "memberships-export"  # of the tokens that workers make
_SMTP_PORTS = {"starttls": 587, "tls": 465, "none": 25}

Secret = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Keys of this installation, each by calling it. None is logged or shown.

    `jwt` signs users' tokens, `service` the worker's own tokens, `links` the download links; `audit` makes the
    pseudonyms of members in the audit log.
    """

    jwt: Secret
    service: Secret
    links: Secret
    audit: Secret


class Backend(Protocol):
    """Where records, queues, files and secrets of one installation are."""

    @property
    def secrets(self) -> Secrets:
        """The keys that sign tokens and links, for users and for the memberships API."""
        ...

    @property
    def profile_secrets(self) -> ProfileSecrets:
        """What a profile may name."""
        ...

    def operator(self) -> str:
        """Return the name of who runs this process, as the backend knows it. Raises StorageUnavailable."""
        ...

    def connect(self, memberships_url: str | None) -> Ports:
        """Open the adapters. Without a memberships URL the process fetches nothing."""
        ...


def utc_now() -> datetime:
    """Return the time of the machine, which may be set back at any moment."""
    return datetime.now(UTC)


def profile_secrets(managed: Callable[[str], ManagedSecret] | None = None) -> ProfileSecrets:
    """Find what a profile names: variables as they are at the start, and what the backend keeps."""
    return ProfileSecrets(dict(os.environ), managed)


def profile(settings: Settings) -> KnownProfile:
    """Read the profile in force. Raises SettingsError with all that is wrong with it."""
    try:
        return load_profile(settings.profile)
    except ProfileInvalid as error:
        raise _wrong_profile(settings, error.problems) from error


def usable_profile(settings: Settings, secrets: ProfileSecrets) -> KnownProfile:
    """Read the profile for a process that asks as it says. Raises SettingsError also for secrets that are not there."""
    known = profile(settings)
    if problems := access_problems(known.profile, secrets, settings.plain_http):
        raise _wrong_profile(settings, problems)
    return known


def _wrong_profile(settings: Settings, problems: Sequence[str]) -> SettingsError:
    return SettingsError([f"{variable('profile')} {settings.profile}: {problem}" for problem in problems])


def readers(settings: Settings) -> LazyReaders:
    """Return what reads and compiles our own contract, and the profile in force. Raises SettingsError for that one."""

    def own() -> Reader:
        return reader_of(load_profile(OWN))

    if settings.profile == OWN:
        return LazyReaders(own)
    in_force = profile(settings)
    return LazyReaders(own, lambda: reader_of(in_force))


def access_problems(profile: Profile, secrets: ProfileSecrets, plain_http: Container[str] = ()) -> list[str]:
    """Say what keeps a process from asking as the profile says: a wrong table [auth], secrets that are not there."""
    return [*auth_problems(profile.auth, plain_http), *secrets.problems(secrets_named(profile))]


def memberships(settings: Settings, url: str, service_secret: Secret, secrets: ProfileSecrets) -> MembershipSource:
    """Return the memberships API at `url`, for every profile. What proves who we are is read for each call."""

    def token(user_id: str) -> str:
        audience = settings.service_audience
        return ServiceTokens(secret=service_secret(), issuer=ISSUER, audience=audience, clock=utc_now)(user_id)

    seconds = settings.memberships_timeout_seconds
    limits = HttpLimits(read_seconds=seconds, total_seconds=seconds, plain_http=settings.plain_http)
    return MembershipsHttp(url, service_token=token, limits=limits, secrets=secrets)


def mail_writer(settings: Settings) -> MailWriter:
    """Return what writes the mails, in the look of the club. It reads nothing before the first one."""
    return TemplateMailWriter(settings.brand)


def sendgrid(settings: Settings, api_key: Secret) -> Mailer:
    """Return SendGrid as the mailer. The key is read for each mail."""
    # Who mails in another way starts without it.
    from memberships_export.adapters.mail.sendgrid.client import SendGrid, SendGridSettings  # noqa: PLC0415

    return SendGrid(SendGridSettings(base_url=settings.sendgrid_url, sender=settings.sender, api_key=api_key))


def smtp(settings: Settings, password: Secret) -> Mailer:
    """Return an SMTP server as the mailer. The password is read for each mail."""
    # Who mails in another way starts without it.
    from memberships_export.adapters.mail.smtp.client import Smtp, SmtpSettings  # noqa: PLC0415

    server = SmtpSettings(
        host=settings.smtp_host or "",
        port=smtp_port(settings),
        security=settings.smtp_security,
        sender=settings.sender,
        user=settings.smtp_user,
        password=password,
    )
    return Smtp(server, utc_now)


def smtp_port(settings: Settings) -> int:
    """Return the port of the SMTP server: the one that is set, else the usual one."""
    return settings.smtp_port or _SMTP_PORTS[settings.smtp_security]
