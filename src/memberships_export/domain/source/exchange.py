"""What goes to a memberships API, and what comes back: one call and its answer, without anything secret."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

TOTAL_HEADERS = ("x-total-count", "x-wp-total", "x-total")  # where APIs tell a total, whether or not a profile knows


class Call(Struct, frozen=True, kw_only=True):
    """One HTTP request for a page, without what proves who we are."""

    user_id: str  # for whom
    path: str  # quoted, below the base URL, beginning with /
    query: str = ""  # encoded, without ?
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    compression: Literal["none", "gzip"] = "none"  # what the answer may be packed by
    first: bool = True  # False: it goes on where another page ended, and the API may have forgotten that place


class Answer(Struct, frozen=True):
    """A page as received. `headers`: those that a profile may name, or should, in lower case."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
