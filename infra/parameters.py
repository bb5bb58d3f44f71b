"""Parameters of one deployment: CDK context, read once into a frozen object. The table is in infra/README.md."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.topology import TOPOLOGIES, Worker

ROOT = Path(__file__).parents[1]
_FEWEST, _MOST = 2, 1000  # what an event source mapping accepts as MaximumConcurrency
# A VPC may be as large as the first. The second leaves each of its four subnets the 32 addresses that a load balancer
# needs in a subnet.
_LARGEST, _SMALLEST = 16, 25
_OF_THE_CDK = ("acknowledged-issue-numbers", "cli-telemetry")  # kept by its command line between our parameters


class ParameterError(Exception):
    """One or more parameters are wrong; the text names each and what it expects."""


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(" or ".join(allowed))
        return value

    return parse


def _concurrency(value: str) -> int:
    if not value.isascii() or not value.isdecimal() or not _FEWEST <= int(value) <= _MOST:
        raise ValueError(f"a whole number from {_FEWEST} to {_MOST}")
    return int(value)


def _pattern(pattern: str, expected: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(expected)
        return value

    return parse


def _https(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("a URL like https://api.example.org, without query")
    return value.rstrip("/")


def _network(value: str) -> str:
    try:
        block = IPv4Network(value)
    except ValueError:
        block = None
    if block is None or not _LARGEST <= block.prefixlen <= _SMALLEST or str(block) != value:
        raise ValueError(f"an IPv4 network by its first address, from /{_LARGEST} to /{_SMALLEST}, like 10.0.0.0/16")
    return value


def _file(value: str) -> str:
    path = ROOT / value
    if not path.exists():
        raise ValueError(f"the bundle of the functions, and {path} does not exist: run `make lambda`")
    return str(path)


_domain = _pattern(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", "a host name like exports.example.org")
_email = _pattern(r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;]+", "one plain email address")
_tag = _pattern(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", "the tag of an image that you pushed, like 2026-11-24")
_word = _pattern(r"\S+", "one word")
_repository = _pattern(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*", "the name of an ECR repository, without the registry's host")


def _arn(service: str) -> Callable[[str], str]:
    return _pattern(
        rf"arn:aws(?:-us-gov)?:{service}:[a-z0-9-]+:\d{{12}}:\S+", f"an ARN that begins with arn:aws:{service}:"
    )


def _parameter(key: str, parse: Callable[[str], Any], *, required: bool = True) -> Any:  # noqa: ANN401
    return field(default=None, metadata={"key": key, "parse": parse, "required": required})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Everything that differs between deployments. What may be left out is None when it is."""

    topology: str = _parameter("topology", _choice(*TOPOLOGIES))
    concurrency: int = _parameter("concurrency", _concurrency)
    render_concurrency: int = _parameter("renderConcurrency", _concurrency)
    deliver_concurrency: int = _parameter("deliverConcurrency", _concurrency)
    domain: str = _parameter("domain", _domain)
    certificate_arn: str = _parameter("certificateArn", _arn("acm"))
    image_repository: str = _parameter("imageRepository", _repository)
    image_tag: str = _parameter("imageTag", _tag)
    bundle: str = _parameter("bundle", _file)
    mail_from: str = _parameter("mailFrom", _email)
    jwks_url: str = _parameter("jwksUrl", _https)
    jwt_audience: str = _parameter("jwtAudience", _word)
    jwt_issuer: str | None = _parameter("jwtIssuer", _word, required=False)
    sendgrid_url: str | None = _parameter("sendgridUrl", _https, required=False)
    sendgrid_webhook_key: str | None = _parameter("sendgridWebhookKey", _word, required=False)
    memberships_url: str | None = _parameter("membershipsUrl", _https, required=False)
    database_secret_arn: str | None = _parameter("databaseSecretArn", _arn("secretsmanager"), required=False)
    vpc_cidr: str = _parameter("vpcCidr", _network)
    alarm_email: str | None = _parameter("alarmEmail", _email, required=False)

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
    problems = _unknown(context)
    values: dict[str, Any] = {}
    for entry in fields(Parameters):
        key, text = entry.metadata["key"], str(context.get(entry.metadata["key"]) or "")
        if not text and not entry.metadata["required"]:
            continue
        try:
            values[entry.name] = entry.metadata["parse"](text)
        except ValueError as error:
            problems.append(f"{key} is {text!r}, but must be {error}.")
    problems += _missing(values)
    if problems:
        raise ParameterError("\n".join(problems))
    return Parameters(**values)


def _missing(values: Mapping[str, Any]) -> list[str]:
    if "memberships_url" in values or "database_secret_arn" in values:
        return []
    text = (
        "databaseSecretArn is not set, but membershipsUrl is not set either: give the URL of your memberships API, "
        "or the secret with the database URL for the bundled one."
    )
    return [text]


def _unknown(context: Mapping[str, object]) -> list[str]:
    """Refuse what nobody reads: most likely a typing error. Other keys of the CDK itself hold a colon or a slash."""
    known = [entry.metadata["key"] for entry in fields(Parameters)]
    strange = sorted(key for key in context if key not in (*known, *_OF_THE_CDK) and not re.search(r"[:/]", key))
    return [f"{key} is not a parameter{_did_you_mean(key, known)}" for key in strange]


def _did_you_mean(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.8)
    return f"; did you mean {close[0]}?" if close else "; infra/README.md lists them all."
