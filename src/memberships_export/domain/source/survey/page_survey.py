"""What a page holds beside what its profile says, looked at without types: all that does not fit, at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import gt, lt
from typing import Any

import msgspec
from msgspec import Raw

from memberships_export.domain.source.envelope import are_errors, envelope_uses, told_errors
from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import KnownProfile, Profile
from memberships_export.domain.source.row_types import Steps, Use
from memberships_export.domain.source.row_uses import Read, reads_of_rows
from memberships_export.domain.source.survey.as_objects import as_objects
from memberships_export.domain.source.survey.column_survey import ColumnSurvey, Rows, survey_column
from memberships_export.domain.source.survey.mismatch import Mismatch, below, harmless, mismatches
from memberships_export.domain.source.survey.raw_json import elements, is_null, kind_of, members

_AROUND = b"\xef\xbb\xbf \t\r\n\v\f"  # as in reader.py
_MOST_TOLD = 20
_FEWEST = 2  # keys that can be in an order
_LOOKED_AT = 100  # rows, for fields that nothing uses


@dataclass(frozen=True, slots=True)
class PageSurvey:
    """One page. `rows` is None where no list of rows was found; `around`: what does not fit outside of columns."""

    page: Raw | None
    rows: Rows | None
    around: tuple[Mismatch, ...] = ()
    columns: tuple[ColumnSurvey, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def mismatches(self) -> Sequence[Mismatch]:
        """All that does not fit: the columns, then what stands around the rows. One place is named once."""
        known: dict[tuple[str, str], Mismatch] = {}
        for one in (*(one for column in self.columns for one in column.mismatches), *self.around):
            known.setdefault((one.where, one.what), one)
        return list(known.values())


def survey(profile: Profile, body: bytes) -> PageSurvey:
    """Look at a page, whatever it is."""
    page, around = as_objects(profile, body.strip(_AROUND))
    if page is None:
        return PageSurvey(None, None)
    if answered_with_errors(profile, page):
        return PageSurvey(page, None, (Mismatch("errors", "the API", told_errors(profile)),))
    around += [one for read in _reads_around(profile) for one in mismatches(read, [page], ["$"])]
    found = _rows(profile, page)
    if isinstance(found, Mismatch):
        return PageSurvey(page, None, (found, *around))
    ids = [read for read in reads_of_rows(profile) if read.about in ("key", "owner")]
    around += [one for read in ids for one in mismatches(read, found.json, found.where)]
    columns = tuple(survey_column(column, found) for column in profile.columns)
    return PageSurvey(page, found, tuple(around), columns, _unused(profile, found.json))


def answered_with_errors(profile: Profile, page: Raw) -> bool:
    """Tell whether there are errors at the path that the profile names for them."""
    if profile.request.errors_path is None:
        return False
    value = page
    for step in parse_path(profile.request.errors_path):
        value = _inside(value, step)
    return are_errors(value)


def all_that_is_wrong(profile: Profile, body: bytes) -> str:
    """Say what of the rows does not fit, all of it: without values, and without names that are there instead.

    Empty where it is one thing only, which the decoder has named.
    """
    page = survey(profile, body)
    found = page.mismatches
    if page.rows is None or len(found) <= (profile.rows.encoding == "objects"):  # of an array it named only a place
        return ""
    told = [f"{one.about} ({one.short})" for one in found[:_MOST_TOLD]]
    return ", ".join([*told, *([f"and {len(found) - _MOST_TOLD} more"] if len(found) > _MOST_TOLD else [])])


def _reads_around(profile: Profile) -> list[Read]:
    """List what is read around the rows, each for what it is."""
    paginator, total = profile.paginator, profile.total
    abouts = {
        getattr(paginator, "cursor_path", None): "next",
        getattr(paginator, "next_url_path", None): "next",
        getattr(paginator, "has_more_path", None): "has_more",
        total.path if total else None: "total",
        profile.request.errors_path: "errors",
    }
    return [Read(abouts.get(use.path, "page"), _says(use), use) for use in envelope_uses(profile)]


def _says(use: Use) -> str:
    if use.kind is bool:
        return "true or false"
    return "text" if use.kind is str else "a whole number" if "str" not in str(use.kind) else "text or a whole number"


def _rows(profile: Profile, page: Raw) -> Rows | Mismatch:
    """Find the list of rows. Null is none."""
    read = Read("rows", "rows", Use(profile.rows.path, parse_path(profile.rows.path), list[Raw]))
    if wrong := mismatches(read, [page], ["$"]):
        return wrong[0]
    value, where = page, "$"
    for step in read.use.steps:
        if is_null(value):
            break
        value, where = _inside(value, step), below(where, step)
    json = [] if is_null(value) else elements(value)
    if json is None:
        return Mismatch("rows", where, f"is {kind_of(value)}, and rows are a list")
    return Rows(json, [f"{where}[{place}]" for place in range(len(json))])


def _inside(value: Raw, step: str | int) -> Raw:
    found: dict[Any, Raw] = (members(value) if isinstance(step, str) else dict(enumerate(elements(value) or []))) or {}
    return found.get(step, Raw(b"null"))


def _unused(profile: Profile, rows: Sequence[Raw]) -> tuple[str, ...]:
    """Name the fields that nothing reads, in the objects in which something is read."""
    used = {read.use.steps for read in reads_of_rows(profile)}
    found = dict.fromkeys(name for row in rows[:_LOOKED_AT] for name in _unread(row, used))
    return harmless(found)


def _unread(row: Raw, used: Iterable[Steps], before: str = "") -> list[str]:
    names = []
    for name, value in (members(row) or {}).items():
        rests = [steps[1:] for steps in used if steps[:1] == (name,)]
        if not rests:
            names.append(f"{before}{name}")
        elif all(rests):
            names += _unread(value, rests, f"{before}{name}.")
    return names


def in_order(keys: Sequence[Any]) -> str:
    """Say how keys go: rising, falling, or none of both."""
    if len(keys) < _FEWEST or len(set(map(type, keys))) > 1:
        return "none"
    if all(map(lt, keys, keys[1:])):
        return "rising"
    return "falling" if all(map(gt, keys, keys[1:])) else "none"


def without_columns(known: KnownProfile, names: Iterable[str]) -> KnownProfile:
    """Return the profile without these columns: what is left of it can still be walked by."""
    left = tuple(column for column in known.profile.columns if column.name not in set(names))
    return KnownProfile(known.name, known.text, known.fingerprint, msgspec.structs.replace(known.profile, columns=left))
