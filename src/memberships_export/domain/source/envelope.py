"""What stands around the rows of a page: the next page, whether there is one, how many rows there are, errors."""

import re
from typing import Annotated, Any

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import Cursor, HeaderLink, JsonLink, Profile, Total
from memberships_export.domain.source.row_types import Use, value_at
from memberships_export.domain.source.web_links import link_to

_NO_ERRORS = frozenset({b"null", b"[]", b"{}", b'""', b"false"})
_LARGEST = 2**63 - 1


class Envelope(Struct, frozen=True):
    """`next`: what the page says about the next one, None when nothing.

    `total`: None when the API says that it does not know, UNSET when it says nothing.
    """

    next: str | None = None
    has_more: bool | None = None
    total: int | UnsetType | None = UNSET


def envelope_uses(profile: Profile) -> list[Use]:
    """List what is read around the rows."""
    uses = []
    if path := _next_path(profile):
        required = isinstance(profile.paginator, Cursor | JsonLink) and profile.paginator.required
        uses.append(_use(path, str if isinstance(profile.paginator, JsonLink) or required else str | int, required))
    if path := _has_more_path(profile):
        uses.append(Use(path, parse_path(path), bool, null=False))
    if profile.total and profile.total.path is not None:
        uses.append(_use(profile.total.path, _count(profile.total)))
    if path := profile.request.errors_path:
        uses.append(_use(path, Raw))
    return uses


def read_envelope(profile: Profile, body: Any, answer: Answer) -> Envelope:  # noqa: ANN401  (a decoded page)
    """Read it. Raises MembershipsContractBroken when the answer is an error in spite of its status."""
    errors = _at(body, profile.request.errors_path)
    if isinstance(errors, Raw) and are_errors(errors):
        raise MembershipsContractBroken(f"The memberships API {told_errors(profile)}.")
    if isinstance(profile.paginator, HeaderLink):
        following: Any = link_to(answer.headers.get("link", ""), profile.paginator.rel)
    else:
        following = _at(body, _next_path(profile))
    more = _at(body, _has_more_path(profile))
    return Envelope(
        next=None if following in (None, UNSET, "") else str(following),
        has_more=None if more is UNSET else more,
        total=_total(profile.total, body, answer) if profile.total else UNSET,
    )


def are_errors(there: Raw) -> bool:
    """Tell errors from what stands in their place when there are none."""
    return b"".join(bytes(there).split()) not in _NO_ERRORS


def told_errors(profile: Profile) -> str:
    """Say that there are some. What they say may be private."""
    return f"answered with errors at `$.{profile.request.errors_path}` instead of a page"


def _total(total: Total, body: Any, answer: Answer) -> int | UnsetType | None:  # noqa: ANN401  (a decoded page)
    if total.header:
        text = answer.headers.get(total.header.lower())
        known: Any = UNSET if text is None else _number(text.strip(), total.header)
    else:
        known = _at(body, total.path)
    if known is None or known is UNSET:
        return UNSET
    if isinstance(known, str):
        known = _number(known, total.path or "")
    return None if known < 0 or (total.cap is not None and known >= total.cap) else known


def _number(text: str, place: str) -> int:
    if re.fullmatch(r"-?[0-9]{1,19}", text) and abs(int(text)) <= _LARGEST:
        return int(text)
    reason = f"The memberships API sent a page that breaks its contract: the total at {place} is no whole number."
    raise MembershipsContractBroken(reason)


def _count(total: Total) -> Any:  # noqa: ANN401  (a type)
    """Return the type: an exact total is a number from 0 on; one that may be estimated can be text, or -1 (unknown)."""
    if total.exact and total.cap is None:
        return Annotated[int, Meta(ge=0, le=_LARGEST)]
    return Annotated[int, Meta(ge=-_LARGEST, le=_LARGEST)] | str


def _use(path: str, kind: Any, required: bool = False) -> Use:  # noqa: ANN401, FBT001, FBT002  (a type)
    return Use(path, parse_path(path), kind, missing=not required)


def _at(body: Any, path: str | None) -> Any:  # noqa: ANN401  (a decoded page)
    return UNSET if path is None else value_at(body, parse_path(path))


def _next_path(profile: Profile) -> str | None:
    match profile.paginator:
        case Cursor(cursor_path=path) | JsonLink(next_url_path=path):
            return path
    return None


def _has_more_path(profile: Profile) -> str | None:
    return getattr(profile.paginator, "has_more_path", None)
