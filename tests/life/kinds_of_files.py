"""What exports of these tests are asked for, and what is in the files that come of it."""

import csv
import io
import json
from typing import Any

from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from memberships_export.domain.formats.options import Format, Options, Preset, of_preset

KINDS = [
    *map(of_preset, Preset),
    Options(format=Format.XLSX),
    Options(format=Format.XLSX, language="de", time_zone="Europe/Berlin"),
    Options(format=Format.XLSX, columns=("id", "name")),
    Options(format=Format.JSONL),
    Options(format=Format.JSONL, columns=("id", "name")),
    Options(columns=("id", "name"), delimiter="\t", bom=False),
]
OPTIONS = st.sampled_from(KINDS)
Rows = list[list[Any]]


def rows_in(content: bytes, options: Options) -> Rows:
    """Read a file as another program does: what stands above the columns, then the rows."""
    match options.format:
        case Format.XLSX:
            return list(CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python())
        case Format.JSONL:
            rows = [json.loads(line) for line in content.splitlines()]
            return [list(rows[0]), *(list(row.values()) for row in rows)] if rows else [[]]
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.reader(text, delimiter=options.delimiter))
