"""Headers of a profile: what HTTP allows, and what is not the profile's to set."""

import re
from collections.abc import Iterator

from memberships_export.domain.source.profile import ApiKey, Profile
from memberships_export.domain.source.profile_file.places import Broken, Place

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110 5.6.2
_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?")
# What the connection, this service or [auth] says.
_OF_THE_CONNECTION = "connection expect host keep-alive proxy-connection te trailer transfer-encoding upgrade"
_OURS = frozenset(
    [*_OF_THE_CONNECTION.split(), "accept-encoding", "content-length", "cookie", "proxy-authorization", "user-agent"]
)


def broken_by_headers(profile: Profile) -> Iterator[Broken]:
    """Find headers that cannot be sent, must not be, or are there twice."""
    known: dict[str, Place] = {}
    for name, value in profile.request.headers.items():
        place: Place = ("request", "headers", name)
        yield from _broken_by_name(place, name, also="authorization")
        if not _VALUE.fullmatch(value):
            yield Broken(place, "must be one line of ASCII characters, without blanks around it")
        first = known.setdefault(name.lower(), place)
        if first != place:
            yield Broken(place, "is the same header as {other}: remove one", (first,))
    if isinstance(profile.auth, ApiKey) and profile.auth.location == "header":
        yield from _broken_by_key(profile.auth, known)
    if profile.total and profile.total.header is not None:
        yield from _broken_by_name(("total", "header"), profile.total.header, ours=False)


def _broken_by_key(auth: ApiKey, known: dict[str, Place]) -> Iterator[Broken]:
    place = ("auth", "name")
    yield from _broken_by_name(place, auth.name)
    if not _VALUE.fullmatch(auth.prefix.rstrip(" ")):
        yield Broken(("auth", "prefix"), "must be ASCII characters in one line")
    if auth.name.lower() in known:
        yield Broken(place, "is the same header as {other}: remove that one", (known[auth.name.lower()],))


def _broken_by_name(place: Place, name: str, also: str = "", *, ours: bool = True) -> Iterator[Broken]:
    if not _NAME.fullmatch(name):
        yield Broken(place, "must be the name of a header: letters, digits and hyphens")
    elif name.lower() == also:
        yield Broken(place, "is not set here: what proves who we are stands in [auth]")
    elif ours and name.lower() in _OURS:
        yield Broken(place, "is not set here: it is sent by itself, or not at all")
