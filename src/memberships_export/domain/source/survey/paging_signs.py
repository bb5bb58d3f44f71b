"""Signs of other pages that an API sends and a profile does not name: without them a walk may end too early."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from msgspec import Raw

from memberships_export.domain.source.exchange import TOTAL_HEADERS
from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import (
    Cursor,
    HeaderLink,
    JsonLink,
    LastKey,
    Offset,
    PageNumber,
    Profile,
    SinglePage,
)
from memberships_export.domain.source.survey.mismatch import Mismatch, below
from memberships_export.domain.source.survey.raw_json import members
from memberships_export.domain.source.web_links import link_to

_DEEPEST = 4
# Without capitals and marks: @odata.nextLink is odatanextlink.
_NEXT = re.compile(
    r"(odata)?next(page|link|url|pageurl|cursor|token|pagetoken|offset)?|cursornext|endcursor|continuationtoken"
)
_MORE = re.compile(r"hasmore|hasnext(page)?|morepages")
_TOTAL = re.compile(r"(estimated)?total(count|items|results|records|size|elements)?|odatacount")
_NOTHING = frozenset({b"null", b'""', b"false", b"{}", b"[]", b"0"})
_WHOLE = re.compile(rb'"?[0-9]{1,18}"?')


@dataclass(frozen=True, slots=True)
class _Sign:
    where: str
    name: str  # without case and marks
    value: bytes


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the rows of a page."""

    page: Raw
    headers: Mapping[str, str]
    rows: int
    goes_on: bool  # the profile finds another page behind this one


def undeclared(profile: Profile, around: Around) -> list[Mismatch]:
    """Name the signs of more rows that the profile does not use, where it has nothing in their place."""
    signs = list(_signs(around.page, "$", tuple(map(str, parse_path(profile.rows.path)))))
    return [*_next(profile, around, signs), *_more(profile, signs), *_total(profile, around, signs)]


def beside(profile: Profile, around: Around) -> list[str]:
    """Name what names another page where pages are counted: the walk goes on without it."""
    if not isinstance(profile.paginator, PageNumber | Offset | LastKey):
        return []
    signs = _signs(around.page, "$", tuple(map(str, parse_path(profile.rows.path))))
    found = [sign.where for sign in signs if _NEXT.fullmatch(sign.name) and sign.value not in _NOTHING]
    return [*found, *(["the header Link"] if link_to(around.headers.get("link", ""), "next") else [])]


def _signs(value: Raw, where: str, rows: tuple[str, ...], depth: int = 0) -> Iterator[_Sign]:
    """Walk the objects around the rows; not the rows, and no lists."""
    for name, inner in (members(value) or {}).items() if depth < _DEEPEST else ():
        place = below(where, name)
        yield _Sign(place, re.sub(r"[^a-z]", "", name.lower()), bytes(inner).strip())
        if rows != (name,):
            yield from _signs(inner, place, rows[1:] if rows[:1] == (name,) else (), depth + 1)


def _next(profile: Profile, around: Around, signs: list[_Sign]) -> Iterator[Mismatch]:
    """Without effect where pages are counted: there the walk goes on whatever the page names."""
    if around.goes_on or not isinstance(profile.paginator, SinglePage | Cursor | JsonLink | HeaderLink):
        return
    what = "names another page, and the profile does not go there"
    for sign in signs:
        if _NEXT.fullmatch(sign.name) and sign.value not in _NOTHING and not _says_no_more(profile, signs):
            yield Mismatch("next", sign.where, f"{what}: use it, as cursor or json_link")
    if link_to(around.headers.get("link", ""), "next"):
        yield Mismatch("next", "the header Link", f"{what}: use it, as header_link")


def _says_no_more(profile: Profile, signs: list[_Sign]) -> bool:
    """Tell whether the page says that it is the last: then a name of a next page is one that leads to itself."""
    declared = getattr(profile.paginator, "has_more_path", None) is not None
    return declared and any(bool(_MORE.fullmatch(sign.name)) and sign.value == b"false" for sign in signs)


def _more(profile: Profile, signs: list[_Sign]) -> Iterator[Mismatch]:
    paginator, total = profile.paginator, profile.total
    if getattr(paginator, "has_more_path", None) is not None or (total and total.exact and total.source != "none"):
        return
    for sign in signs:
        if _MORE.fullmatch(sign.name) and sign.value in (b"true", b"false"):
            if isinstance(paginator, SinglePage | Cursor | JsonLink | HeaderLink) and sign.value == b"false":
                continue
            what = "says whether there is another page, and the profile does not use it"
            mend = (
                "choose a paginator" if isinstance(paginator, SinglePage | HeaderLink) else "name it in has_more_path"
            )
            yield Mismatch("has_more", sign.where, f"{what}: {mend}")


def _total(profile: Profile, around: Around, signs: list[_Sign]) -> Iterator[Mismatch]:
    if profile.total is not None:
        return
    what = "says how many rows there are, and the profile does not use it"
    for sign in signs:
        if _WHOLE.fullmatch(sign.value) and (_TOTAL.fullmatch(sign.name) or _counts_more(sign, around)):
            path = sign.where.removeprefix("$.")
            yield Mismatch(
                "total", sign.where, f'{what}: total = {{ path = {json.dumps(path)} }}, or {{ from = "none" }}'
            )
    for header in TOTAL_HEADERS:
        if header in around.headers:
            mend = f'total = {{ header = "{header}" }}, or {{ from = "none" }}'
            yield Mismatch("total", f"the header {header}", f"{what}: {mend}")


def _counts_more(sign: _Sign, around: Around) -> bool:
    """Tell a count of all rows from one of those on the page."""
    return sign.name == "count" and int(sign.value.strip(b'"')) > around.rows
