"""What must be set together, and numbers that are right alone and wrong together.

A problem comes with the fields it was found from. What was found from a field whose own value is wrong says nothing
new, so the reader leaves it out.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import TypeAlias

from memberships_export.settings.declared import Settings
from memberships_export.settings.names import variable

Problem: TypeAlias = tuple[str, set[str]]  # what is wrong, and the fields that say so
# Of each group one is enough; the first is asked for.
_NEEDED_ON_AWS = [
    ("queue_url",),
    ("table",),
    ("bucket",),
    ("service_secret_id", "service_secret"),
    ("link_secret_id", "link_secret"),
    ("audit_secret_id", "audit_secret"),
]


_KNOWN_BY = ("jwt_secret", "jwks_url", "introspection_url", "alb_arn")
_CREDENTIALS = ("introspection_client_id", "introspection_client_secret")


def problems_between(settings: Settings) -> Iterator[Problem]:
    """Find what is wrong although each value alone is right."""
    yield from _users_known_twice(settings)
    yield from _half_an_introspection(settings)
    if settings.alb_arn:
        yield from _wrong_behind_a_balancer(settings)
    if settings.mailer == "sendgrid":
        yield from _missing_for_sendgrid(settings)
    if settings.mailer == "smtp":
        yield from _missing_for_smtp(settings)
        yield from _unsafe_for_smtp(settings)
    if settings.backend == "aws":
        yield from _missing_on_aws(settings)
        yield from _not_on_aws(settings)
        yield from _alerts_on_aws(settings)
    if settings.memberships_url is None and _is_of_others(settings.profile):
        yield _nothing_to_ask(settings)
    if settings.lease_seconds <= settings.memberships_timeout_seconds:
        yield _lease_too_short(settings)
    if settings.first_back_off_seconds > settings.longest_back_off_seconds:
        yield _back_off_shrinks(settings)
    if settings.max_hours <= settings.give_up_hours:
        yield _time_too_short(settings)


def _not_on_aws(settings: Settings) -> Iterator[Problem]:
    if settings.metrics_port is not None:
        name = variable("metrics_port")
        text = f"{name} is set, but {variable('backend')} is aws: unset it, CloudWatch reads the numbers from the logs."
        yield text, {"metrics_port", "backend"}


def _is_of_others(profile: str) -> bool:
    """Tell a shipped profile for another API than the bundled one. A file may be for that too."""
    return profile != Settings.profile and "/" not in profile and not profile.endswith(".toml")


def _nothing_to_ask(settings: Settings) -> Problem:
    url = variable("memberships_url")
    text = f"{url} is not set, but {variable('profile')} is {settings.profile}: set it to the URL of that API."
    return text, {"memberships_url", "profile"}


def _users_known_twice(settings: Settings) -> Iterator[Problem]:
    known_by = [name for name in _KNOWN_BY if getattr(settings, name)]
    if len(known_by) > 1:
        named = " and ".join(variable(name) for name in known_by)
        yield f"{named} are set, but users are known in one way only: unset all but one.", set(known_by)


def _half_an_introspection(settings: Settings) -> Iterator[Problem]:
    for name in _CREDENTIALS:
        if settings.introspection_url and not getattr(settings, name):
            because = f"is not set, but {variable('introspection_url')} is"
            yield f"{variable(name)} {because}: the endpoint answers only who it knows.", {"introspection_url", name}
        if getattr(settings, name) and not settings.introspection_url:
            because = f"is set, but {variable('introspection_url')} is not"
            yield f"{variable(name)} {because}: set the URL, or unset both.", {"introspection_url", name}


def _wrong_behind_a_balancer(settings: Settings) -> Iterator[Problem]:
    because = f"{variable('alb_arn')} is"
    if settings.jwt_audience == Settings.jwt_audience:
        text = (
            f"{variable('jwt_audience')} is not set, but {because}: set it to the client id that the load balancer has "
            "at the identity provider."
        )
        yield text, {"alb_arn", "jwt_audience"}
    if settings.userinfo_url:
        text = (
            f"{variable('userinfo_url')} is set, but so {because}, and the load balancer has asked it: unset the URL."
        )
        yield text, {"alb_arn", "userinfo_url"}


def _missing_for_sendgrid(settings: Settings) -> Iterator[Problem]:
    because = f"is not set, but {variable('mailer')} is sendgrid"
    if not (settings.sendgrid_api_key or settings.sendgrid_secret):
        text = f"{variable('sendgrid_api_key')} {because}: set the key."
        yield text, {"mailer", "sendgrid_api_key", "sendgrid_secret"}
    if settings.mail_from == Settings.mail_from:
        text = f"{variable('mail_from')} {because}: set it to an address that is verified with SendGrid."
        yield text, {"mailer", "mail_from"}


def _missing_for_smtp(settings: Settings) -> Iterator[Problem]:
    because = f"is not set, but {variable('mailer')} is smtp"
    if not settings.smtp_host:
        yield f"{variable('smtp_host')} {because}: set it to the name of the server.", {"mailer", "smtp_host"}
    if settings.mail_from == Settings.mail_from:
        text = f"{variable('mail_from')} {because}: set it to an address that the server sends for."
        yield text, {"mailer", "mail_from"}
    password = "smtp_secret" if settings.smtp_secret and settings.backend == "aws" else "smtp_password"
    for name, other in (("smtp_user", password), (password, "smtp_user")):
        if getattr(settings, other) and not getattr(settings, name):
            text = f"{variable(name)} is not set, but {variable(other)} is: set both to log in, or neither."
            yield text, {"mailer", "backend", name, other}


def _unsafe_for_smtp(settings: Settings) -> Iterator[Problem]:
    host, security = settings.smtp_host, variable("smtp_security")
    if settings.smtp_security != "none" or not host:
        return
    if settings.smtp_user:
        text = f"{security} is none, but {variable('smtp_user')} is set: a password needs starttls or tls."
        yield text, {"mailer", "smtp_security", "smtp_user"}
    if not (_is_this_machine(host) or host.lower() in settings.smtp_plain):
        text = (
            f"{security} is none, but {variable('smtp_host')} is {host}: mails with personal data would cross a "
            f"network in the clear. Use starttls or tls; or, for a network that nobody listens to, name the host in "
            f"{variable('smtp_plain_hosts')} too."
        )
        yield text, {"mailer", "smtp_security", "smtp_host", "smtp_plain_hosts"}


def _is_this_machine(host: str) -> bool:
    from ipaddress import ip_address  # noqa: PLC0415  (who encrypts does not wait for it at start)

    with suppress(ValueError):  # a name
        return ip_address(host).is_loopback
    return host.lower() == "localhost"


def _missing_on_aws(settings: Settings) -> Iterator[Problem]:
    for names in _NEEDED_ON_AWS:
        if all(getattr(settings, name) is None for name in names):
            text = f"{variable(names[0])} is not set, but {variable('backend')} is aws: set it."
            yield text, {"backend", *names}


def _alerts_on_aws(settings: Settings) -> Iterator[Problem]:
    for name in ("alert_command", "alert_url"):
        if getattr(settings, name):
            text = f"{variable(name)} is set, but {variable('backend')} is aws, where alarms wake people: unset it."
            yield text, {"backend", name}


def _lease_too_short(settings: Settings) -> Problem:
    lease, timeout = variable("lease_seconds"), variable("memberships_timeout_seconds")
    text = (
        f"{lease} is {settings.lease_seconds}, but must be more than {timeout}, which is "
        f"{settings.memberships_timeout_seconds}: a worker that waits for a slow page would lose its export to another."
    )
    return text, {"lease_seconds", "memberships_timeout_seconds"}


def _back_off_shrinks(settings: Settings) -> Problem:
    first, longest = variable("first_back_off_seconds"), variable("longest_back_off_seconds")
    text = (
        f"{first} is {settings.first_back_off_seconds}, but must be at most {longest}, which is "
        f"{settings.longest_back_off_seconds}: the first pause cannot be longer than the longest."
    )
    return text, {"first_back_off_seconds", "longest_back_off_seconds"}


def _time_too_short(settings: Settings) -> Problem:
    most, give_up = variable("max_hours"), variable("give_up_hours")
    text = (
        f"{most} is {settings.max_hours}, but must be more than {give_up}, which is {settings.give_up_hours}: an "
        "export that waited for the end of one long trouble would have no time left."
    )
    return text, {"max_hours", "give_up_hours"}
