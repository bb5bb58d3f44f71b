"""The headers of a call, and those of its answer that a profile may name."""

import re
from collections.abc import Iterable, Mapping

from memberships_export.adapters.source.wording import Wording
from memberships_export.domain.source.exchange import TOTAL_HEADERS, Call
from memberships_export.domain.source.profile import HeaderLink, Profile
from memberships_export.logs.about import request_in_hand
from memberships_export.version import USER_AGENT

_MOST = 8 * 1024  # bytes of one value that we hand on
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_SKIPPED = "@@@SKIP_HEADER@@@"  # to urllib3 this value means to leave the header out
# They say where a message begins and ends, and to whom it goes: of the connection, not of what is asked.
_OF_THE_CONNECTION = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def request_headers(call: Call, credential: Mapping[str, str], say: Wording) -> dict[str, str]:
    """Join what every call has, what the profile adds and what proves who we are; the later ones win.

    Raises MembershipsContractBroken for a header that cannot be sent, with its name only: its value may be private.
    """
    headers = {"accept": ("Accept", "application/json"), "user-agent": ("User-Agent", USER_AGENT)}
    request_id = request_in_hand()
    if request_id:
        headers["x-request-id"] = ("X-Request-Id", request_id)
    if call.body is not None:
        headers["content-type"] = ("Content-Type", "application/json")
    for name, value in (*call.headers.items(), *credential.items()):
        if not header_can_be(name, value):
            raise say.broken(f"cannot be asked: the header {name!r} would hold what no header may, or may not be set")
        headers[name.lower()] = (name, value)
    return dict(headers.values()) | {"Accept-Encoding": "gzip" if call.compression == "gzip" else "identity"}


def header_can_be(name: str, value: str) -> bool:
    """Tell whether a profile may send this header: visible ASCII, no line ends, nothing of the connection's own."""
    return bool(_NAME.fullmatch(name)) and value_can_be(value) and name.lower() not in _OF_THE_CONNECTION


def value_can_be(value: str) -> bool:
    """Tell whether a header can carry this text."""
    return bool(_VALUE.fullmatch(value)) and value != _SKIPPED


def answer_headers(received: Mapping[str, str], profile: Profile, say: Wording) -> dict[str, str]:
    """Return `link` and the header of the total, in lower case; several of one name are joined by ", ".

    A `Link`, and a total, that the profile does not name are told too, so that somebody may notice them. Raises
    MembershipsContractBroken for one that is named and larger than 8 KiB, and for lines that may end anywhere.
    """
    if profile.rows.encoding == "ndjson" and not _says_where_it_ends(received):
        what = "sent lines without saying where they end, by Content-Length or in chunks"
        raise say.broken(f"{what}: if some of the last ones were lost, nothing would tell")
    named = {name.lower() for name in _named(profile)}
    found = {}
    for name in named | {"link", *TOTAL_HEADERS}:
        value = received.get(name)
        if value is not None and len(value) <= _MOST:
            found[name] = value
        elif value is not None and name in named:
            raise say.broken(f"sent a header {name} of more than {_MOST} bytes")
    return found


def _says_where_it_ends(received: Mapping[str, str]) -> bool:
    """Tell an answer whose framing proves that it is whole from one that ends with its connection (RFC 9112 6.3)."""
    return "content-length" in received or "chunked" in received.get("transfer-encoding", "").lower()


def _named(profile: Profile) -> Iterable[str]:
    if isinstance(profile.paginator, HeaderLink):
        yield "link"
    if profile.total and profile.total.header:
        yield profile.total.header
