"""A CSV file as records of text, one value per membership field, with the lines they stand on."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TextIO

from memberships_api.csv_fields import FIELDS, REQUIRED_FIELDS, FieldRefused, parse_field


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to fix. `line` is that of the CSV file where the row starts; None: it is about the file or mapping."""

    reason: str
    line: int | None = None

    def __str__(self) -> str:
        return self.reason if self.line is None else f"line {self.line}: {self.reason}"


class ImportRefused(Exception):
    """Nothing was imported; `problems` says why, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where fields come from: CSV columns by field, and values that are the same in every row.

    A field that is in neither comes from the column of its own name, if there is one.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """The text of one row by field; fields without a source are absent."""

    line: int
    values: Mapping[str, str]


def read_records(path: Path, mapping: ColumnMapping) -> Iterator[Record | Problem]:
    """Read the rows in order, a Problem in place of each malformed one. Raises ImportRefused."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _records(file, mapping)
    except UnicodeDecodeError as error:
        problem = Problem(f"{path} is not UTF-8 ({error.reason}): save it as UTF-8 (in Excel: 'CSV UTF-8').")
        raise ImportRefused([problem]) from error
    except OSError as error:
        raise ImportRefused([Problem(f"{path} cannot be read: {error.strerror}. Check the path.")]) from error


def _records(file: TextIO, mapping: ColumnMapping) -> Iterator[Record | Problem]:
    rows = _numbered(file)
    _, header = next(rows, (0, []))
    _refuse_if(_header_problems(header))
    _refuse_if(_mapping_problems(header, mapping))
    positions = _positions(header, mapping)
    empty = True
    for line, cells in rows:
        empty = False
        if len(cells) == len(header):
            values = {name: cells[position] for name, position in positions.items()}
            yield Record(line, {**values, **mapping.constants})
        else:
            reason = f"the row has {len(cells)} cells, the header {len(header)}: put quotes around commas in cells."
            yield Problem(reason, line)
    _refuse_if([Problem("The file has a header but no rows: there is nothing to import.")] if empty else [])


def _numbered(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file, strict=True)
    while True:
        line = reader.line_num + 1  # a quoted cell may hold line breaks: a row starts after the end of the last one
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportRefused(
                [Problem(f"this is not CSV ({error}): check the quotes from here on.", line)]
            ) from error
        if cells:
            yield line, cells


def _header_problems(header: Sequence[str]) -> list[Problem]:
    if not header:
        return [Problem("The file is empty: its first line must name the columns.")]
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    return [Problem(f"Column {name!r} is in the header more than once: rename or remove one.") for name in repeated]


def _mapping_problems(header: Sequence[str], mapping: ColumnMapping) -> list[Problem]:
    known = f"known are {', '.join(FIELDS)}"
    columns = f"the file has {', '.join(header)}"
    named = dict.fromkeys(chain(mapping.columns, mapping.constants))
    unknown = [f"There is no field {name!r}: {known}." for name in named if name not in FIELDS]
    both = [name for name in mapping.columns if name in mapping.constants]
    doubled = [f"Field {name} has both a column and a constant: keep one." for name in both]
    absent = [
        f"There is no column {column!r} for field {name}: {columns}."
        for name, column in mapping.columns.items()
        if column not in header
    ]
    missing = [
        f"Field {name} has no source: name its column or give a constant ({columns})."
        for name in REQUIRED_FIELDS
        if name not in named and name not in header
    ]
    return [Problem(reason) for reason in chain(unknown, doubled, absent, missing, _refused_constants(mapping))]


def _refused_constants(mapping: ColumnMapping) -> Iterator[str]:
    # Once here instead of once per row.
    for name in mapping.constants.keys() & set(FIELDS):
        try:
            parse_field(name, mapping.constants[name])
        except FieldRefused as error:
            yield f"The constant for {error}"


def _positions(header: Sequence[str], mapping: ColumnMapping) -> dict[str, int]:
    columns = {name: mapping.columns.get(name, name) for name in FIELDS if name not in mapping.constants}
    return {name: header.index(column) for name, column in columns.items() if column in header}


def _refuse_if(problems: Sequence[Problem]) -> None:
    if problems:
        raise ImportRefused(problems)
