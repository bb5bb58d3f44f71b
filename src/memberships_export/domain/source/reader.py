"""Reading pages by a profile: what a page holds, and what the columns of its rows say."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from memberships_export.domain.errors import MembershipsContractBroken, MembershipsCutShort
from memberships_export.domain.source.columns.values import BadValue, Values, needs_check, values_of
from memberships_export.domain.source.diagnosis import is_json, what_is_there, why_no_rows
from memberships_export.domain.source.envelope import Envelope, read_envelope, told_errors
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.keys import BETWEEN, shown
from memberships_export.domain.source.paths import parse_path
from memberships_export.domain.source.profile import Column, KnownProfile, Profile
from memberships_export.domain.source.row_encodings import Decode, decoder_of
from memberships_export.domain.source.row_types import by_field, field_of, values_at
from memberships_export.domain.source.row_uses import steps_of

_AROUND = b"\xef\xbb\xbf \t\r\n\v\f"  # byte order marks and white space
_MOST_TOLD = 20  # columns in one reason
_AT_A_TIME = 500  # rows
_BROKE_AT = re.compile(r"\(byte (\d+)\)")

Key = int | str
Take = Callable[[Sequence[Any]], list[Any]]


class Page(Struct, frozen=True):
    """What one answer holds. `rows` are structs that only their Reader can read."""

    rows: Sequence[Any]
    envelope: Envelope
    bytes: int = 0


class Table(Struct, frozen=True):
    """Rows for a file: for each column the texts of all rows; None where there is nothing.

    `currencies`: for each column the codes beside its amounts, as they came; None where it has none.
    """

    columns: Sequence[Column]
    cells: Sequence[Sequence[str | None]]
    currencies: Sequence[Sequence[Any] | None] = ()

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.cells[0])


class _Cells(Struct, frozen=True):
    """How one column is taken out of rows."""

    column: Column
    values: Values
    take: Take
    currencies: Take | None
    field: str  # of a row, that has the values; empty where that is not one field

    def check(self, rows: Sequence[Any]) -> None:
        self.values.check(self.take(rows), self.currencies(rows) if self.currencies else None)

    def texts(self, rows: Sequence[Any], fields: Mapping[str, Sequence[Any]]) -> Sequence[str | None]:
        """`fields`: the values of the rows that were taken out at once."""
        raw = fields[self.field] if self.field in fields else self.take(rows)
        return self.values.texts(raw, self.currencies(rows) if self.currencies else None)


class Reader(Struct, frozen=True, kw_only=True):
    """A compiled profile. Threads may share it."""

    known: KnownProfile
    _decode: Decode
    _cells: Sequence[_Cells]
    _checked: Sequence[_Cells]  # those of them that need it: merely to touch a value takes time
    _keys: Sequence[Take]
    _owner: Take | None

    @property
    def profile(self) -> Profile:
        """The profile by which pages are read."""
        return self.known.profile

    def read(self, answer: Answer) -> Page:
        """Read a page as received; byte order marks and white space around it are no part of it.

        Raises MembershipsContractBroken when it is not one, MembershipsCutShort when it only ends too early.
        """
        body = answer.body.strip(_AROUND)
        try:
            page, rows = self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if _ends_too_early(body, error, self.profile):
                raise MembershipsCutShort(f"The memberships API sent {_how_short(body)}.") from error
            raise MembershipsContractBroken(_what_is_wrong(body, error, self.profile)) from error
        envelope = read_envelope(self.profile, page, answer)
        if not rows and rows != [] and (wrong := why_no_rows(body, self.profile)):
            raise MembershipsContractBroken(f"The memberships API sent a page that breaks its contract: {wrong}.")
        return Page(rows or [], envelope, len(answer.body))

    def keys(self, rows: Sequence[Any]) -> Sequence[Key]:
        """Return what tells each row from all others."""
        if len(self._keys) == 1:
            return self._keys[0](rows)
        return [BETWEEN.join(map(str, parts)) for parts in zip(*(take(rows) for take in self._keys), strict=True)]

    def owners(self, rows: Sequence[Any]) -> Sequence[Key]:
        """Return whose rows they are; nothing when the profile names no owner."""
        return self._owner(rows) if self._owner else ()

    def check(self, rows: Sequence[Any]) -> None:
        """Refuse rows that could not become cells. Raises MembershipsContractBroken, naming one row of each column."""
        wrong = []
        for cells in self._checked:
            try:
                cells.check(rows)
            except BadValue as error:
                wrong.append(self._wrong(rows, cells.column, error))
        if wrong:
            more = [f"{len(wrong) - _MOST_TOLD} more such columns"] if len(wrong) > _MOST_TOLD else []
            raise MembershipsContractBroken(f"The memberships API sent {'; '.join([*wrong[:_MOST_TOLD], *more])}.")

    def checked_tables(self, rows: Sequence[Any], places: Sequence[int], skip: int = 0) -> Iterator[Table]:
        """Return the columns at these places, a few rows at a time, and check all others too.

        `skip`: rows of the page that are left out. Few at a time stay in the processor's cache. Raises
        MembershipsContractBroken, naming one row of each column.
        """
        chosen = set(places)
        others = [cells for place, cells in enumerate(self._cells) if place not in chosen and needs_check(cells.values)]
        try:
            for start in range(skip, len(rows), _AT_A_TIME):
                few = rows[start : start + _AT_A_TIME]
                for cells in others:
                    cells.check(few)
                yield self.table(few, places)  # to make texts of values is to check them
        except BadValue:
            self.check(rows)
            raise

    def _wrong(self, rows: Sequence[Any], column: Column, error: BadValue) -> str:
        key = self.keys(rows[error.place : error.place + 1])[0]
        where = self.where(error.place, column.path or column.name)
        return f"row {shown(key)} with a {column.name} that is {error.what} - at `{where}`"

    def table(self, rows: Sequence[Any], places: Sequence[int] | None = None) -> Table:
        """Return the columns of checked rows: all, or those at these places of the profile, in this order."""
        chosen = self._cells if places is None else [self._cells[place] for place in places]
        fields = by_field(rows)
        return Table(
            [cells.column for cells in chosen],
            [cells.texts(rows, fields) for cells in chosen],
            [cells.currencies(rows) if cells.currencies else None for cells in chosen],
        )

    def where(self, place: int, path: str) -> str:
        """Say where in a page something of a row is."""
        start = self.profile.rows.path
        return f"${'.' if start and not start.startswith('[') else ''}{start}[{place}].{path}"


def reader_of(known: KnownProfile) -> Reader:
    """Compile a profile. Raises Unreadable when two of its paths cannot both be read."""
    profile, rows = known.profile, known.profile.rows
    cells = [_cells(column) for column in profile.columns]
    return Reader(
        known=known,
        _decode=decoder_of(profile),
        _cells=cells,
        _checked=[one for one in cells if needs_check(one.values)],
        _keys=[values_at(parse_path(path)) for path in rows.key],
        _owner=values_at(parse_path(rows.owner)) if rows.owner else None,
    )


def _cells(column: Column) -> _Cells:
    take = list if column.type == "constant" else values_at(steps_of(column))
    currencies = values_at(parse_path(column.currency)) if column.currency else None
    field = "" if column.type == "constant" else field_of(steps_of(column))
    return _Cells(column, values_of(column), take, currencies, field)


def _what_is_wrong(body: bytes, error: Exception, profile: Profile) -> str:
    """Say what the decoder stopped at, and then all the rest, so that it can be mended at once."""
    from memberships_export.domain.source.survey import page_survey  # noqa: PLC0415  (few ever need it)

    first, rest = what_is_there(body, error, profile), ""
    if isinstance(error, msgspec.ValidationError):
        if page_survey.answered_with_errors(profile, msgspec.Raw(body)):
            return f"The memberships API {told_errors(profile)}."
        rest = page_survey.all_that_is_wrong(profile, body)
    all_of_it = f" All that is wrong: {rest}." if rest else ""
    return f"The memberships API sent a page that breaks its contract: {first}.{all_of_it}"


def _ends_too_early(page: bytes, error: Exception, profile: Profile) -> bool:
    """Tell a page that breaks off from one that is wrong: nothing is wrong with it before its end."""
    if not isinstance(error, msgspec.DecodeError) or isinstance(error, msgspec.ValidationError):
        return False
    where = _BROKE_AT.search(str(error))
    if where and int(where[1]) < len(page):
        return False
    if profile.rows.encoding == "ndjson":
        page = page[page.rfind(b"\n") + 1 :]
    return not is_json(page)  # half of a surrogate pair just before the end looks cut off to the decoder


def _how_short(page: bytes) -> str:
    return f"a page that ends in its middle, after {len(page)} bytes" if page else "an empty answer"
