"""What the rows of a page have for each column: how often, an example of it, and all that does not fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from memberships_export.domain.source.columns.column_texts import BadValue, Values
from memberships_export.domain.source.columns.values import values_of
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.row_types import Steps, Use, type_of, values_at
from memberships_export.domain.source.row_uses import reads_of_column, steps_of
from memberships_export.domain.source.survey.mismatch import Mismatch, below, counted, mismatches
from memberships_export.domain.source.survey.raw_json import text_of

_AS_IT_IS = frozenset({"text", "integer", "boolean"})


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a page as JSON, and where each stands."""

    json: Sequence[Raw]
    where: Sequence[str]


@dataclass(frozen=True, slots=True)
class Example:
    """A value as it came (a text without its quotes), with its currency, and as it is written into a file."""

    came: str
    written: str
    is_text: bool
    converted: bool  # `written` is worth showing beside `came`


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSurvey:
    """One column over the rows of a page."""

    name: str
    path: str
    type: str
    filled: int = 0
    null: int = 0
    missing: int = 0
    unnamed: int = 0  # values that `map` does not name: they are written as they came
    example: Example | None = None
    mismatches: tuple[Mismatch, ...] = ()


def survey_column(column: Column, rows: Rows) -> ColumnSurvey:
    """Look at one column."""
    path = column.path or column.name
    if column.type == "constant":
        example = Example("", column.value or "", is_text=True, converted=True)
        return ColumnSurvey(name=column.name, path="", type=column.type, filled=len(rows.json), example=example)
    found = _whatever_is_there(rows.json, steps_of(column))
    missing, null = sum(value is UNSET for value in found), sum(value is None for value in found)
    wrong = [one for read in reads_of_column(column) for one in mismatches(read, rows.json, rows.where)]
    cells = _Cells(column, rows)
    return ColumnSurvey(
        name=column.name,
        path=path,
        type=column.type,
        filled=len(found) - missing - null,
        null=null,
        missing=missing,
        unnamed=cells.unnamed(found),
        example=cells.example(found),
        mismatches=(*counted([*wrong, *cells.bad()]), *_never_there(column, rows, found if not wrong else ())),
    )


class _Cells:
    """The values of a column as the worker reads them, of those rows in which they can be read."""

    def __init__(self, column: Column, rows: Rows) -> None:
        self._column, self._rows = column, rows
        self._values: Values = values_of(column)
        uses = [read.use for read in reads_of_column(column)]
        takes = [values_at(use.steps) for use in uses]
        self._read = {
            place: [take([row])[0] for take in takes]
            for place, row in enumerate(_decoded(rows.json, type_of(uses)))
            if row is not None
        }

    def bad(self) -> Iterator[Mismatch]:
        """Find the values that decoding let through and no text can be made of."""
        for place in () if self._all_good() else self._read:
            try:
                self._text(place)
            except BadValue as error:
                where = self._rows.where[place]
                for step in steps_of(self._column):
                    where = below(where, step)
                yield Mismatch(self._column.name, where, f"is {error.what}")

    def _all_good(self) -> bool:
        raw = [read[0] for read in self._read.values()]
        currencies = [read[1] for read in self._read.values()] if self._column.currency else None
        try:
            self._values.check(raw, currencies)
        except BadValue:
            return False
        return True

    def unnamed(self, found: Sequence[Any]) -> int:
        """Count values that stay as they are although there is a map."""
        if not self._column.map or self._column.join is not None:
            return 0
        return sum(text_of(value) not in self._column.map for value in found if isinstance(value, Raw))

    def example(self, found: Sequence[Any]) -> Example | None:
        """Take the first value that says something."""
        places = [place for place in self._read if isinstance(found[place], Raw)]
        for place in sorted(places, key=lambda place: bytes(found[place] or b"") in (b'""', b"0", b"[]")):
            try:
                written = self._text(place) or ""
            except BadValue:
                continue
            return self._example(found[place], place, written)
        return None

    def _example(
        self,
        value: Any,  # noqa: ANN401
        place: int,
        written: str,
    ) -> Example:
        assert isinstance(value, Raw)  # noqa: S101  (it is the example because it is there)
        came, currency = text_of(value), self._currency(place)
        shown = f"{came} {currency}" if isinstance(currency, str) else came
        plain = self._column.type in _AS_IT_IS and not self._column.map and self._column.join is None
        return Example(shown, written, is_text=bytes(value)[:1] == b'"', converted=not plain and written != shown)

    def _currency(self, place: int) -> object:
        return self._read[place][1] if self._column.currency else None

    def _text(self, place: int) -> str | None:
        currencies = [self._currency(place)] if self._column.currency else None
        return self._values.texts(self._read[place][:1], currencies)[0]


def _whatever_is_there(rows: Sequence[Raw], steps: Steps) -> list[Any]:
    """Return what is there, None for null; UNSET when nothing is, or something that leads no further."""
    read = _decoded(rows, type_of([Use("", steps, Raw, missing=True)]))
    take = values_at(steps)
    values = [UNSET if row is None else take([row])[0] for row in read]
    return [None if isinstance(value, Raw) and bytes(value) == b"null" else value for value in values]


def _decoded(rows: Sequence[Raw], kind: Any) -> list[Any]:  # noqa: ANN401  (a type, and what it makes)
    """Decode all rows; those that cannot be are None."""
    try:
        return msgspec.json.decode(b"[%b]" % b",".join(rows), type=list[kind])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [_decoded_one(row, kind) for row in rows]


def _decoded_one(row: Raw, kind: Any) -> Any:  # noqa: ANN401
    try:
        return msgspec.json.decode(bytes(row), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _never_there(column: Column, rows: Rows, found: Sequence[Any]) -> list[Mismatch]:
    """Inside of lists anything may be missing, but hardly everywhere."""
    if column.optional or not found or any(value is not UNSET for value in found):
        return []
    what = f"is missing in all {len(found)} rows: correct the path, or say optional = true"
    return [Mismatch(column.name, f"{rows.where[0]}.{column.path or column.name}", what)]
