"""What a parameter may be: pydantic reads it, and the words say what it must be."""

from functools import partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from infra.profile import checked_profile
from infra.topology import TOPOLOGIES
from memberships_export.settings import kinds
from memberships_export.settings.kinds import from_text

_ADDRESS = "one plain email address"
ROOT = Path(__file__).parents[1]
_FEWEST, _MOST = 2, 1000  # what an event source mapping accepts as MaximumConcurrency
# A VPC may be as large as the first. The second leaves each of its four subnets the 32 addresses that a load balancer
# needs in a subnet.
_LARGEST, _SMALLEST = 16, 25
# Of one secret, without wildcards. Its end tells it from another that had the same name.
_WHOLE_ARN = r"arn:aws(?:-us-gov)?:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}"


def _must_be(expected: str) -> WrapValidator:
    """Say in our words what a value must be."""

    def check(value: object, read: ValidatorFunctionWrapHandler) -> object:
        try:
            return read(value)
        except ValueError:
            raise ValueError(expected) from None

    return WrapValidator(check)


def _topology(text: str) -> str:
    if text not in TOPOLOGIES:
        raise ValueError
    return text


def _whole(text: str) -> str:
    if not text.isascii() or not text.isdecimal():
        raise ValueError
    return text


def _https(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return text.rstrip("/")


def _separated(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _plain_or_https(text: str) -> str:
    return _https(f"https{text[4:]}" if text.startswith("http://") else text) and text.rstrip("/")


def _network(text: str) -> str:
    block = IPv4Network(text)
    if not _LARGEST <= block.prefixlen <= _SMALLEST or str(block) != text:
        raise ValueError
    return text


def _file(text: str) -> str:
    path = ROOT / text
    if not path.exists():
        raise ValueError(f"the bundle of the functions, and {path} does not exist: run `make lambda`")
    return str(path)


def _like(pattern: str) -> StringConstraints:
    return StringConstraints(pattern=f"^(?:{pattern})$")


def _arn_of(service: str) -> StringConstraints:
    return _like(rf"arn:aws(?:-us-gov)?:{service}:[a-z0-9-]+:[0-9]{{12}}:\S+")


def _on_the_internet(sender: str) -> str:
    if "." not in sender.rpartition("@")[2]:
        raise ValueError(_ADDRESS)
    return sender


def _as_setting(kind: object) -> AfterValidator:
    """Read it as the programs do that are handed it, and say what it must be in their words."""
    return AfterValidator(partial(from_text, kind))


Topology = Annotated[str, AfterValidator(_topology), _must_be(" or ".join(TOPOLOGIES))]
Concurrency = Annotated[
    int,
    Field(ge=_FEWEST, le=_MOST),
    BeforeValidator(_whole),
    _must_be(f"a whole number from {_FEWEST} to {_MOST}"),
]
Domain = Annotated[
    str,
    _like(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}"),
    _must_be("a host name like exports.example.org"),
]
Email = Annotated[str, _like(r"[^\s@,;]+@[^\s@,;]+\.[^\s@,;]+"), _must_be(_ADDRESS)]
Sender = Annotated[str, AfterValidator(_on_the_internet), _as_setting(kinds.MailFrom)]
Contact = Annotated[str, _as_setting(kinds.Contact)]
BrandName = Annotated[str, _as_setting(kinds.Name)]
Logo = Annotated[str, _as_setting(kinds.HttpsUrl)]
Colour = Annotated[str, _as_setting(kinds.Colour)]
Language = Annotated[str, _as_setting(kinds.Language)]
Zone = Annotated[str, _as_setting(kinds.Zone)]
Tag = Annotated[
    str,
    _like(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"),
    _must_be("the tag of an image that you pushed, like 2026-11-24"),
]
Word = Annotated[str, _like(r"\S+"), _must_be("one word")]
Repository = Annotated[
    str,
    _like(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*"),
    _must_be("the name of an ECR repository, without the registry's host"),
]
Https = Annotated[str, AfterValidator(_https), _must_be("a URL like https://api.example.org, without query")]
Url = Annotated[str, AfterValidator(_plain_or_https), _must_be("a URL like https://api.example.org, without query")]
Hosts = Annotated[
    tuple[Annotated[str, _like(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")], ...],
    BeforeValidator(_separated),
    _must_be("names of hosts like api.club.internal in small letters, separated by commas, without port"),
]
Profile = Annotated[str, AfterValidator(checked_profile)]
Network = Annotated[
    str,
    AfterValidator(_network),
    _must_be(f"an IPv4 network by its first address, from /{_LARGEST} to /{_SMALLEST}, like 10.0.0.0/16"),
]
Bundle = Annotated[str, AfterValidator(_file)]
Certificate = Annotated[str, _arn_of("acm"), _must_be("an ARN that begins with arn:aws:acm:")]
SecretArns = Annotated[
    tuple[Annotated[str, _like(_WHOLE_ARN)], ...],
    BeforeValidator(_separated),
    _must_be(
        "whole ARNs of secrets, separated by commas, each with the six characters at its end, like "
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:club/api-AbCdEf"
    ),
]
SecretArn = Annotated[str, _arn_of("secretsmanager"), _must_be("an ARN that begins with arn:aws:secretsmanager:")]
