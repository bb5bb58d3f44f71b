"""Which column is which field, and what is wrong with a header."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain

from memberships_api.csv_files.fields import FIELDS, OPTIONAL_FIELDS, REQUIRED_FIELDS
from memberships_api.csv_files.problems import Problem

_CLOSE = 0.75  # of a share of letters in common


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where fields come from: CSV columns by field, and values that are the same in every row.

    A field that is in neither comes from the column of its own name, if there is one.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)

    def sources(self) -> dict[str, str]:
        """Give the column of each field that has no constant, whether it is in the file or not."""
        return {name: self.columns.get(name, name) for name in FIELDS if name not in self.constants}

    def positions(self, header: Sequence[str]) -> dict[str, int]:
        """Tell where in a row each field stands; fields without a column in the file are left out."""
        return {name: header.index(column) for name, column in self.sources().items() if column in header}

    def has_source(self, name: str, header: Sequence[str]) -> bool:
        """Tell whether rows of this file say something about a field."""
        return name in self.constants or self.columns.get(name, name) in header


def header_problems(header: Sequence[str], mapping: ColumnMapping) -> list[Problem]:
    """Find everything wrong with the header, and with the mapping for it."""
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    doubled = [f"Column {name!r} is in the header more than once: rename or remove one." for name in repeated]
    return [Problem(reason) for reason in doubled or _mapping_reasons(header, mapping)]


def _mapping_reasons(header: Sequence[str], mapping: ColumnMapping) -> Iterator[str]:
    named = dict.fromkeys(chain(mapping.columns, mapping.constants))
    columns = f"the file has {', '.join(header)}"
    for name in named:
        if name not in FIELDS:
            yield f"There is no field {name!r}: {_did_you_mean(name, FIELDS)}known are {', '.join(FIELDS)}."
    for name in mapping.columns:
        if name in mapping.constants:
            yield f"Field {name} has both a column and a constant: keep one."
    for name, column in mapping.columns.items():
        if column not in header:
            yield f"There is no column {column!r} for field {name}: {_did_you_mean(column, header)}{columns}."
    for name in REQUIRED_FIELDS:
        if name not in named and name not in header:
            yield (
                f"Field {name} has no source: name its column or give a constant "
                f"({_did_you_mean(name, header, f'--column {name}=')}{columns})."
            )
    yield from _overlooked(header, mapping)


def _overlooked(header: Sequence[str], mapping: ColumnMapping) -> Iterator[str]:
    # Without a word, `ValidUntil` would leave every membership without an end.
    for name in OPTIONAL_FIELDS:
        if mapping.has_source(name, header):
            continue
        for column in header:
            if _letters(column) == _letters(name) and column not in mapping.columns.values():
                yield (
                    f"Column {column!r} is nearly the field {name}: say --column {name}={column!r} to take it, or "
                    f"--set {name}= to leave the field empty."
                )


def _did_you_mean(name: str, known: Sequence[str], before: str = "") -> str:
    same = [other for other in known if _letters(other) == _letters(name)]
    close = same or get_close_matches(name, known, n=1, cutoff=_CLOSE)
    return f"did you mean {before}{close[0]!r}? " if close else ""


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()
