"""How rows are written: as objects, as arrays beside the names of the columns, or as objects one a line.

Types are decoded once where they are made, before threads can share them: see docs/msgspec-first-decode.md.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Any

import msgspec

from memberships_export.domain.source.envelope import envelope_uses
from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import Profile
from memberships_export.domain.source.row_types import Use, type_of, type_of_arrays, value_at
from memberships_export.domain.source.row_uses import reads_of_rows

COLUMNS = "columns"  # where a page of arrays names them, unless the profile says otherwise
_MOST_COLUMNS = 1000  # a type is made of them
_MOST_KEPT = 16  # orders of columns; an API has one

Decode = Callable[[bytes], tuple[Any, Any]]
"""Gives a page, for what stands around its rows, and the rows. Raises what msgspec raises."""


def decoder_of(profile: Profile) -> Decode:
    """Return what decodes pages of this profile. Raises Unreadable when two of its paths cannot both be read."""
    match profile.rows.encoding:
        case "arrays":
            return _Arrays(profile)
        case "ndjson":
            return _lines(profile)
    return _objects(profile)


def named_at(profile: Profile) -> str:
    """Return the path to the names of the columns."""
    return profile.rows.columns_path or COLUMNS


def _objects(profile: Profile) -> Decode:
    page_type = _page_type(profile, _row_type(profile))
    if not profile.rows.path:
        page_type = page_type | None  # what some APIs send in place of an empty array
    kind, steps = _ready(page_type), parse_path(profile.rows.path)

    def decode(body: bytes) -> tuple[Any, Any]:
        page = msgspec.json.decode(body, type=kind)
        return page, value_at(page, steps)

    return decode


def _lines(profile: Profile) -> Decode:
    """Blank lines are none. There is nothing around the rows: what else a page says is in its headers."""
    lines = msgspec.json.Decoder(_ready(_row_type(profile)))
    return lambda body: (None, lines.decode_lines(body))


class _Arrays:
    """Decodes by the names that each page has for its columns, whatever their order. Threads may share it.

    A page without such names is read as one of objects: an API that can send both was asked for arrays, and may not
    know them yet.
    """

    def __init__(self, profile: Profile) -> None:
        """Compile what does not depend on a page. Raises Unreadable."""
        self._profile, self._path = profile, named_at(profile)
        self._uses = [read.use for read in reads_of_rows(profile)]
        self._objects = _objects(profile)
        self._found = Use(self._path, parse_path(self._path), list[str], null=False)
        self._names = _ready(type_of([self._found]))
        _page_type(profile, Any, self._found)  # as it will be, whatever the columns are
        self._types: dict[tuple[str, ...], Any] = {}
        self._last: tuple[str, ...] = ()
        self._making = Lock()

    def __call__(self, body: bytes) -> tuple[Any, Any]:
        """Take the columns to be those of the page before, which saves to look for them, and see whether they are."""
        last = self._last
        if kind := self._types.get(last):
            with suppress(msgspec.ValidationError):
                page = msgspec.json.decode(body, type=kind)
                if self._named(page) == last:
                    return page, self._rows(page)
        names = self._names_in(body)
        if names is None:
            return self._as_objects(body)
        page = msgspec.json.decode(body, type=self._type(names))
        self._last = names
        return page, self._rows(page)

    def _names_in(self, body: bytes) -> tuple[str, ...] | None:
        try:
            names = self._named(msgspec.json.decode(body, type=self._names))
        except msgspec.ValidationError:
            return None
        if len(names) > _MOST_COLUMNS:
            raise msgspec.ValidationError(f"it names {len(names)} columns, and at most {_MOST_COLUMNS} are read")
        if len(set(names)) < len(names):
            raise msgspec.ValidationError(f"it names one column twice - at `$.{self._path}`")
        return names

    def _as_objects(self, body: bytes) -> tuple[Any, Any]:
        try:
            return self._objects(body)
        except msgspec.ValidationError as error:
            raise msgspec.ValidationError(f"{error}, and it names no columns at `$.{self._path}`") from error

    def _type(self, names: tuple[str, ...]) -> Any:  # noqa: ANN401  (a type)
        with self._making:
            if names not in self._types:
                try:
                    row = type_of_arrays(self._uses, names)
                except msgspec.ValidationError as error:
                    raise msgspec.ValidationError(f"{error} - at `$.{self._path}`") from error
                made = _ready(_page_type(self._profile, row, self._found))
                self._types = {**(self._types if len(self._types) < _MOST_KEPT else {}), names: made}
            return self._types[names]

    def _named(self, page: Any) -> tuple[str, ...]:  # noqa: ANN401  (a decoded page)
        return tuple(value_at(page, self._found.steps))

    def _rows(self, page: Any) -> Any:  # noqa: ANN401  (a decoded page)
        return value_at(page, parse_path(self._profile.rows.path))


def _row_type(profile: Profile) -> Any:  # noqa: ANN401  (a type)
    return type_of([read.use for read in reads_of_rows(profile)])


def _page_type(profile: Profile, row: Any, *beside: Use) -> Any:  # noqa: ANN401  (types)
    path = profile.rows.path
    return type_of([Use(path, parse_path(path), list[row]), *envelope_uses(profile), *beside])


def _ready(kind: Any) -> Any:  # noqa: ANN401  (a type)
    with suppress(msgspec.ValidationError):
        msgspec.json.decode(b"{}", type=kind)
    return kind
