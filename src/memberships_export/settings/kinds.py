"""What a setting may be: its type says how its text is read and, in words, what it must be.

Numbers and choices are checked by msgspec; texts with a form of their own bring the function that reads them.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import field
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin
from urllib.parse import urlsplit

from msgspec import Meta, ValidationError, convert

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.formats.options import LANGUAGES
from memberships_export.domain.mail.address import checked_address
from memberships_export.domain.mail.sender import LONGEST_NAME, is_name, split_sender

MIN_SECRET = 32  # bytes; RFC 7518 3.2: as long as the hash
T = TypeVar("T")


def setting(default: T, doc: str, *, secret: bool = False) -> T:
    """Describe one field of the settings; `doc` is its row in docs/configuration.md. A secret is never shown."""
    described: T = field(default=default, repr=not secret, metadata={"doc": doc})
    return described


def from_text(kind: Any, text: str) -> Any:  # noqa: ANN401  (a type, as annotated; and a value of it)
    """Return what `text` says, as the type `kind`. Raises ValueError saying what it must be, never what it is."""
    kind = _when_set(kind)
    plain, meta = _parts(kind)
    try:
        value = convert(_separated(plain, text), kind, dec_hook=lambda custom, given: custom(given))
        return meta.extra["parse"](value) if meta.extra else value
    except (ValueError, ValidationError):
        near = _near(meta, text)
        raise ValueError(_expected(plain, meta) + near) from None  # the cause quotes the text, which may be a secret


def _when_set(kind: Any) -> Any:  # noqa: ANN401
    """Return the type without its None: that stands for an unset variable, whose text nobody reads."""
    alternatives = [given for given in get_args(kind) if given is not type(None)]
    return alternatives[0] if type(None) in get_args(kind) else kind


def _parts(kind: Any) -> tuple[Any, Meta]:  # noqa: ANN401
    return get_args(kind) if get_origin(kind) is Annotated else (kind, Meta())


def _separated(plain: Any, text: str) -> object:  # noqa: ANN401
    """Return what msgspec can convert: a number, the parts between the commas of a set, else the text."""
    if plain is int and text.isascii() and text.isdecimal():
        return int(text)
    return [part.strip() for part in text.split(",")] if get_origin(plain) is frozenset else text


def _expected(plain: Any, meta: Meta) -> str:  # noqa: ANN401
    if meta.description:
        return meta.description
    if plain is int:
        return f"a whole number from {meta.ge} to {meta.le}"
    if get_origin(plain) is frozenset:
        return f"a list like {','.join(_choices(get_args(plain)[0]))}, or a part of it"
    return " or ".join(_choices(plain))


def _near(meta: Meta, text: str) -> str:
    """Say which names were perhaps meant, where there is a list of names."""
    from memberships_export.domain.formats.problems import nearest  # noqa: PLC0415  (for who made a mistake)

    names = meta.extra.get("names") if meta.extra else None
    near = nearest(text, names()) if names else []
    return f"; perhaps {' or '.join(near)}" if near else ""


def _choices(plain: Any) -> list[str]:  # noqa: ANN401
    if get_origin(plain) is Literal:
        return list(get_args(plain))
    return [member.value for member in plain] if issubclass(plain, Enum) else []


def _form(expected: str, parse: Callable[[str], str], names: Callable[[], Iterable[str]] | None = None) -> Meta:
    """Describe a text; `names` gives the list that it has to be on, never that of a secret."""
    return Meta(description=expected, extra={"parse": parse, "names": names})


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return text.rstrip("/")


def _database_url(text: str) -> str:
    # Looked at as text: what urlsplit takes for a port may be a part of the password.
    if not re.fullmatch(r"postgresql://[^/?#]*/[^/?#]+(\?[^#]*)?", text):
        raise ValueError
    return text


def _secret(text: str) -> str:
    if len(text.encode()) < MIN_SECRET:
        raise ValueError
    return text


def _names(text: str) -> str:
    if not all(map(str.strip, text.split(","))):
        raise ValueError
    return text


def _host_names(text: str) -> str:
    """Take names and addresses, as they stand in a URL without port and brackets."""
    if not all(re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", name.strip()) for name in text.split(",")):
        raise ValueError
    return text


def _host(text: str) -> str:
    if ":" in text:
        import ipaddress  # noqa: PLC0415  (hardly anybody gives one of version 6, and a start need not wait for it)

        return str(ipaddress.IPv6Address(text))
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", text):
        raise ValueError
    return text


def _address(text: str) -> str:
    try:
        return checked_address(text)
    except InvalidAddress as error:
        raise ValueError from error


def _language(text: str) -> str:
    from memberships_export.domain.formats.languages import language_of  # noqa: PLC0415  (most leave it as it is)

    if (found := language_of(text)) is None:
        raise ValueError
    return found


def _zones() -> list[str]:
    from zoneinfo import available_timezones  # noqa: PLC0415  (who has a zone does not wait for the others)

    from memberships_export.domain.formats.zones import places  # noqa: PLC0415

    return places(available_timezones())


def _zone(text: str) -> str:
    from memberships_export.domain.formats.zones import find_zone  # noqa: PLC0415  (most leave it as it is)

    if (found := find_zone(text, _zones)) is None:
        raise ValueError
    return found


def _sender(text: str) -> str:
    try:
        name, address = split_sender(text)
    except InvalidAddress as error:
        raise ValueError from error
    return f"{name} <{address}>" if name else address


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError
    return text


def _https_url(text: str) -> str:
    if not _PLAIN_URL.fullmatch(text) or not urlsplit(text).hostname or "@" in urlsplit(text).netloc:
        raise ValueError
    return text


def _contact(text: str) -> str:
    return _https_url(text) if text.startswith("https:") else _address(text)


def _colour(text: str) -> str:
    if not re.fullmatch("#[0-9A-Fa-f]{6}", text):
        raise ValueError
    return text.lower()


def _command(text: str) -> str:
    import shlex  # noqa: PLC0415  (most have none)

    if not shlex.split(text):  # which raises ValueError for a quote without its end
        raise ValueError
    return text


_PLAIN_URL = re.compile(r"https://[A-Za-z0-9._~:/?#\[\]@!$&()*+,;=%-]+")
Url = Annotated[str, _form("a URL like https://api.example.org, without query", _url)]
DatabaseUrl = Annotated[str, _form("a URL like postgresql://user:password@host/database", _database_url)]
Secret = Annotated[str, _form(f"a secret of at least {MIN_SECRET} bytes", _secret)]
Names = Annotated[str, _form("one name, or several separated by commas", _names)]
Host = Annotated[str, _form("a host name or an IP address, without a port", _host)]
HostNames = Annotated[str, _form("names of hosts like members-api, separated by commas, without port", _host_names)]
Address = Annotated[str, _form("one plain email address", _address)]
_LANGUAGES = f"one of {', '.join(LANGUAGES)}, with or without a region, as de-CH"
Language = Annotated[str, _form(_LANGUAGES, _language, lambda: LANGUAGES)]
Zone = Annotated[str, _form("a time zone of the IANA database, such as Europe/Berlin", _zone, _zones)]
MailFrom = Annotated[
    str, _form("one plain email address, or a name with one: TSV Example <exports@example.org>", _sender)
]
Name = Annotated[
    str, _form(f"a name of at most {LONGEST_NAME} characters, without comma, semicolon, quotes, < or >", _name)
]
HttpsUrl = Annotated[str, _form("a URL that begins with https://", _https_url)]
Contact = Annotated[str, _form("one plain email address, or a URL that begins with https://", _contact)]
Command = Annotated[str, _form("a program with its arguments, as one types them: /usr/local/bin/wake --loud", _command)]
Colour = Annotated[str, _form("a colour like #1f5fbf", _colour)]
