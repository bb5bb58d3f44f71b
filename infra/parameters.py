"""Parameters of one deployment: CDK context, read once into a frozen object. The table is in infra/README.md."""

import difflib
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from infra.parameter_kinds import (
    BrandName,
    Bundle,
    Certificate,
    Colour,
    Concurrency,
    Contact,
    Domain,
    Email,
    Hosts,
    Https,
    Language,
    Logo,
    Network,
    Profile,
    Repository,
    SecretArn,
    SecretArns,
    Sender,
    Tag,
    Topology,
    Url,
    Word,
    Zone,
)
from infra.profile import secrets_of
from infra.topology import TOPOLOGIES, Worker
from memberships_export.adapters.source.profile_file import OWN, is_file_name

_OF_THE_CDK = ("acknowledged-issue-numbers", "cli-telemetry")  # kept by its command line between our parameters


class ParameterError(Exception):
    """One or more parameters are wrong; the text names each and what it expects."""


class Parameters(BaseModel):
    """Everything that differs between deployments. What may be left out is None when it is.

    A parameter is the field's name in camelCase.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    topology: Topology
    concurrency: Concurrency
    render_concurrency: Concurrency
    deliver_concurrency: Concurrency
    domain: Domain
    certificate_arn: Certificate
    image_repository: Repository
    image_tag: Tag
    bundle: Bundle
    mail_from: Sender
    mail_reply_to: Email | None = None
    contact: Contact | None = None
    brand_name: BrandName | None = None
    brand_logo_url: Logo | None = None
    brand_colour: Colour | None = None
    language: Language | None = None
    time_zone: Zone | None = None
    jwks_url: Https
    jwt_audience: Word
    jwt_issuer: Word | None = None
    sendgrid_url: Https | None = None
    sendgrid_webhook_key: Word | None = None
    smtp_host: Domain | None = None
    smtp_user: Word | None = None
    memberships_url: Url | None = None
    plain_http_hosts: Hosts = ()
    profile: Profile | None = None
    profile_secret_arns: SecretArns = ()
    database_secret_arn: SecretArn | None = None
    vpc_cidr: Network
    alarm_email: Email | None = None

    @property
    def workers(self) -> tuple[Worker, ...]:
        """The functions of the chosen topology."""
        return TOPOLOGIES[self.topology]

    @property
    def public_url(self) -> str:
        """Where users reach the API."""
        return f"https://{self.domain}"

    def limit_of(self, worker: Worker) -> int:
        """Return how many exports the worker may have in hand; what fetches is limited for the memberships API."""
        limits = {
            "fetch": self.concurrency,
            "render": self.render_concurrency,
            "deliver": self.deliver_concurrency,
        }
        return limits[worker.stages[0]]


def read_parameters(context: Mapping[str, object]) -> Parameters:
    """Read all parameters. Raises ParameterError naming every wrong one and what it expects."""
    texts = dict(_texts(context))
    problems = _missing(texts)
    try:
        parameters = Parameters.model_validate(texts)
        problems += _at_odds(parameters)
    except ValidationError as error:
        problems = [*_problems(error), *problems]
    if problems:
        raise ParameterError("\n".join(problems))
    return parameters


def _texts(context: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Return what is given, as text. What may be left out is left out when it is empty; the CDK's own keys always."""
    required = {_key(name): field.is_required() for name, field in Parameters.model_fields.items()}
    given = {key for key in context if key in required or not (key in _OF_THE_CDK or re.search(r"[:/]", key))}
    for key in sorted(given | required.keys()):
        text = str(context.get(key) or "")
        if text or required.get(key, True):
            yield key, text


def _key(name: str) -> str:
    return Parameters.model_fields[name].alias or name


def _problems(error: ValidationError) -> Iterator[str]:
    """Name each wrong parameter, with what it must be; first those that nobody reads."""
    found = error.errors(include_url=False)
    for problem in sorted(found, key=lambda problem: problem["type"] != "extra_forbidden"):
        key, context = str(problem["loc"][0]), problem.get("ctx", {})
        unknown = problem["type"] == "extra_forbidden"
        yield _unknown(key) if unknown else f"{key} is {problem['input']!r}, but must be {context['error']}."


def _missing(texts: Mapping[str, str]) -> list[str]:
    problems = []
    if not {"membershipsUrl", "databaseSecretArn"} & texts.keys():
        problems.append(
            "databaseSecretArn is not set, but membershipsUrl is not set either: give the URL of your memberships API, "
            "or the secret with the database URL for the bundled one."
        )
    for one, other in (("smtpHost", "smtpUser"), ("smtpUser", "smtpHost")):
        if one in texts and other not in texts:
            problems.append(f"{other} is not set, but {one} is: give both to mail by SMTP, or neither.")
    return problems


def _at_odds(given: Parameters) -> Iterator[str]:
    """Find parameters that are right alone, and wrong together."""
    url = urlsplit(given.memberships_url or "")
    if url.scheme == "http" and url.hostname not in given.plain_http_hosts:
        yield f"membershipsUrl is {given.memberships_url!r}: take https, or name {url.hostname} in plainHttpHosts."
    if given.profile and not is_file_name(given.profile) and given.profile != OWN and not url.scheme:
        yield f"membershipsUrl is not set, but profile is {given.profile}: give the URL of that API."
    if given.profile and secrets_of(given.profile) and not given.profile_secret_arns:
        named = ", ".join(secrets_of(given.profile))
        yield f"profileSecretArns is not set, but the profile names {named}: give the whole ARN of each."


def _unknown(key: str) -> str:
    """Refuse what nobody reads: most likely a typing error."""
    close = difflib.get_close_matches(key, map(_key, Parameters.model_fields), n=1, cutoff=0.8)
    return f"{key} is not a parameter" + (
        f"; did you mean {close[0]}?" if close else "; infra/README.md lists them all."
    )
