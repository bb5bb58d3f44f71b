"""The file of an export, read as a program of somebody else would: headings first, then each row as texts."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from memberships_export.domain.formats.guard import unguard
from memberships_export.domain.formats.options import DELIMITERS, Format
from memberships_export.entrypoints.cli.demo.workbook import sheet_rows

Row = Sequence[str]
Chosen = Mapping[str, Any]
"""The options of the export, as its status has them."""


def rows_of(path: Path, chosen: Chosen) -> Iterator[Row]:
    """Read what stands above the columns, then the rows; nothing is an empty text, and apostrophes are taken off."""
    match chosen["format"]:
        case Format.XLSX:
            return sheet_rows(path)
        case Format.JSONL:
            return _lines(path)
    return _csv(path, chosen)


def _lines(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            if number == 0:
                yield list(row)
            yield ["" if value is None else str(value) for value in row.values()]


def _csv(path: Path, chosen: Chosen) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=DELIMITERS.get(chosen["delimiter"], chosen["delimiter"]), strict=True)
        yield from ([unguard(cell) for cell in row] for row in reader) if chosen["guard"] else reader
