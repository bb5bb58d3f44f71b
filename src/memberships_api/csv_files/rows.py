"""Cells become a membership that lacks at most its id and its uuid, or reasons to refuse it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from memberships_api.csv_files.dates import ISO
from memberships_api.csv_files.dialect import Dialect
from memberships_api.csv_files.fields import FIELDS, IDS, FieldRefused, FieldValue, Parsed, parse_field
from memberships_api.csv_files.mapping import ColumnMapping
from memberships_api.csv_files.problems import Notices, Problem
from memberships_api.csv_files.records import Record
from memberships_api.staging import Draft

_REMEMBERED = 4096  # values of each field


class RowReader:
    """Makes a draft of each row of one file."""

    def __init__(self, header: Sequence[str], mapping: ColumnMapping, dialect: Dialect, notices: Notices) -> None:
        """Take constants that were checked by `constant_problems`."""
        self._cells = [
            (field, position, header[position], _parser(field, dialect, header[position]))
            for field, position in mapping.positions(header).items()
        ]
        self._notices = notices
        known = {field: text for field, text in mapping.constants.items() if field in FIELDS}
        self._constants = {field: parse_constant(field, text, dialect) for field, text in known.items()}

    def read(self, record: Record) -> Draft | list[Problem]:
        """Return the row as a draft, or every problem that it has."""
        values: dict[str, FieldValue] = dict.fromkeys(FIELDS)
        values |= self._constants
        problems = []
        for field, position, column, parse in self._cells:
            try:
                values[field], notice = parse(record.cells[position])
            except FieldRefused as error:
                problems.append(Problem(str(error), record.line, column))
                continue
            if notice:
                self._notices.add(notice, record.line)
        problems += _order_problems(values, record.line)
        return problems or _draft(record.line, values)


def _parser(field: str, dialect: Dialect, column: str) -> Callable[[str], Parsed]:
    def parse(text: str) -> Parsed:
        return parse_field(field, text, dialect, column)

    # Few states, days and prices are on many rows; ids are on one each.
    return parse if field in IDS else lru_cache(_REMEMBERED)(parse)


def constant_problems(mapping: ColumnMapping, dialect: Dialect) -> Iterator[Problem]:
    """Find what is wrong with the constants, once instead of once per row."""
    for field in FIELDS:
        if field in mapping.constants:
            try:
                parse_constant(field, mapping.constants[field], dialect)
            except FieldRefused as error:
                yield Problem(f"The constant for {error}")


def parse_constant(field: str, text: str, dialect: Dialect) -> FieldValue:
    """Read a constant: as in the file, and days in the ISO form too. Raises FieldRefused."""
    if any("\ud800" <= char <= "\udfff" for char in text):  # what the shell handed on and is no text
        raise FieldRefused(f"{field} is {text[:60]!r}: remove the NUL or broken character.")
    if field in ("validFrom", "validUntil") and ISO.fits(text):
        dialect = replace(dialect, date_format=ISO)
    return parse_field(field, text, dialect).value


def _order_problems(values: Mapping[str, FieldValue], line: int) -> list[Problem]:
    start, end = values["validFrom"], values["validUntil"]
    if isinstance(start, str) and isinstance(end, str) and end < start:
        return [Problem(f"validUntil is {end!r}: it must not be before validFrom, {start!r}.", line)]
    return []


def _draft(line: int, values: Mapping[str, FieldValue]) -> Draft:
    price = format(values["recurringPrice"], "f")  # never an exponent
    return Draft(line, *(price if field == "recurringPrice" else values[field] for field in FIELDS))  # type: ignore[arg-type]
