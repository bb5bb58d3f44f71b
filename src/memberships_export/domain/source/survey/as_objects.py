"""A page whose rows are arrays or lines, turned into one of objects without types: it is looked at like any other."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Raw

from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import Profile
from memberships_export.domain.source.row_encodings import named_at
from memberships_export.domain.source.row_types import Steps
from memberships_export.domain.source.survey.mismatch import Mismatch
from memberships_export.domain.source.survey.raw_json import elements, members, read_raw


def as_objects(profile: Profile, body: bytes) -> tuple[Raw | None, list[Mismatch]]:
    """Return the page, None when it is no JSON, and what keeps its rows from being objects."""
    if profile.rows.encoding == "ndjson":
        return _joined(body), []
    page = read_raw(body)
    if profile.rows.encoding == "arrays" and page is not None:
        return _named(profile, page)
    return page, []


def _joined(body: bytes) -> Raw | None:
    try:
        rows = msgspec.json.Decoder(Raw).decode_lines(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return Raw(b"[%b]" % b",".join(map(bytes, rows)))


def _named(profile: Profile, page: Raw) -> tuple[Raw, list[Mismatch]]:
    """Give each row the names of the columns. A page without names stays as it is: its rows may be objects."""
    names, where = _names(page, parse_path(named_at(profile))), f"$.{named_at(profile)}"
    if names is None:
        return page, []
    found = []
    if len(set(names)) < len(names):
        found.append(Mismatch("rows", where, "names one column twice"))

    def objects(rows: Raw) -> Raw:
        return Raw(msgspec.json.encode([named(place, row) for place, row in enumerate(elements(rows) or [])]))

    def named(place: int, row: Raw) -> Raw:
        cells = elements(row)
        if cells is None:
            return row
        if len(cells) != len(names):
            what = f"has {len(cells)} values, and {where} names {len(names)} columns"
            found.append(Mismatch("rows", f"$.{profile.rows.path}[{place}]", what))
        return Raw(msgspec.json.encode(dict(zip(names, cells, strict=False))))

    return _changed(page, parse_path(profile.rows.path), objects), found


def _names(page: Raw, steps: Steps) -> Sequence[str] | None:
    for step in steps:
        inside = members(page) if isinstance(step, str) else dict(enumerate(elements(page) or []))
        if not inside or step not in inside:
            return None
        page = inside[step]  # type: ignore[index]  # a name in an object, a place in a list
    try:
        return msgspec.json.decode(bytes(page), type=list[str])
    except msgspec.DecodeError:
        return None


def _changed(value: Raw, steps: Steps, change: Callable[[Raw], Raw]) -> Raw:
    """Change what stands at one place; where there is none, nothing."""
    if not steps:
        return change(value)
    first, *rest = steps
    if isinstance(first, int):
        listed = elements(value) or []
        inside = [_changed(one, tuple(rest), change) if place == first else one for place, one in enumerate(listed)]
        return Raw(msgspec.json.encode(inside)) if listed else value
    named = members(value)
    if not named or first not in named:
        return value
    return Raw(msgspec.json.encode(named | {first: _changed(named[first], tuple(rest), change)}))
