"""One file in a process of its own: `python -m bench.one_file KIND ROWS` prints what its writer took."""

import csv
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, Protocol

import msgspec

from bench import former_csv
from bench.processes import peak_bytes
from bench.results import FileRun
from memberships_api.sample import sample_memberships
from memberships_export.bootstrap.shipped import shipped_text
from memberships_export.domain.formats.file_format import About, Plan
from memberships_export.domain.formats.formats import file_format
from memberships_export.domain.formats.options import Format, Options, Preset, of_preset
from memberships_export.domain.source.columns.values import is_number
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.profile_file.text import read_profile
from memberships_export.domain.source.reader import Reader, Table, reader_of

_PAGE = 5000
_DISTINCT_PAGES = 2  # one after the other, again and again: what they are made of is as large for a small file
_DAYS = ("date", "date_or_text")
_ABOUT = About(title="About", rows_title="Memberships", facts=[("Rows", 1)], checksum="SHA-256", cut="Cut")

Values = Sequence[tuple[Any, ...]]


class Writing(Protocol):
    """One file while it is written, as FileWriter, but for the form of the rows."""

    def begin(self) -> bytes:
        """Return what comes first."""
        ...

    def rows(self, table: Any, /) -> bytes:  # noqa: ANN401  (a Table, or Values)
        """Return the rows as bytes of the file."""
        ...

    def end(self) -> bytes:
        """Return what comes last."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """What writes a file, and in which form it takes rows: making them is not timed."""

    begin: Callable[[], Writing]
    prepare: Callable[[Table], Table | Values] = lambda table: table


def one_file(kind: str, rows: int) -> FileRun:
    """Write a file of so many rows, whole pages, and count the processor's time of its writer alone."""
    assert rows > 0, rows
    assert rows % _PAGE == 0, f"{rows} rows are no whole pages of {_PAGE}."
    writer, clock = KINDS[kind].begin(), _Clock()
    written = clock(writer.begin)
    for table in _tables(rows // _PAGE):
        prepared = KINDS[kind].prepare(table)
        written += clock(lambda prepared=prepared: writer.rows(prepared))  # type: ignore[misc]
    written += clock(writer.end)
    return FileRun(rows=rows, seconds=clock.seconds, file_bytes=written, peak_bytes=peak_bytes(os.getpid()))


class _Clock:
    """Adds up what calls take of the processor."""

    seconds = 0.0

    def __call__(self, write: Callable[[], bytes]) -> int:
        """Return how many bytes were written."""
        begun = process_time()
        content = write()
        self.seconds += process_time() - begun
        return len(content)


class _CsvModule:
    """`csv.writer`, with each page as bytes."""

    def begin(self) -> bytes:
        return b""

    def rows(self, values: Values) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(values)
        return text.getvalue().encode()

    def end(self) -> bytes:
        return b""


class _FormerCsv(_CsvModule):
    """The CSV of this service before there were options."""

    def rows(self, table: Any) -> bytes:  # noqa: ANN401  (a Table)
        return former_csv.written(table)


class _XlsxWriter:
    """The library XlsxWriter in the mode that takes the least memory: one call for each cell, by its type."""

    def __init__(self) -> None:
        # Only this one loads it: the memory of the others is compared.
        import xlsxwriter  # type: ignore[import-untyped]  # noqa: PLC0415

        self._folder = TemporaryDirectory()
        self._book = xlsxwriter.Workbook(self._path, {"constant_memory": True})
        self._sheet = self._book.add_worksheet()
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._row = 0

    @property
    def _path(self) -> Path:
        return Path(self._folder.name) / "file.xlsx"

    def begin(self) -> bytes:
        return b""

    def rows(self, values: Values) -> bytes:
        for row in values:
            self._row += 1
            for place, value in enumerate(row):
                self._write(place, value)
        return b""

    def _write(self, place: int, value: object) -> None:
        match value:
            case str():
                self._sheet.write_string(self._row, place, value)
            case int() | Decimal():
                self._sheet.write_number(self._row, place, value)
            case date():
                self._sheet.write_datetime(self._row, place, value, self._day)

    def end(self) -> bytes:
        self._book.close()
        content = self._path.read_bytes()
        self._folder.cleanup()
        return content


class _Ours:
    """A file of this service: each page becomes a piece, which is joined to those before."""

    def __init__(self, options: Options, *, compact: bool = True) -> None:
        columns, form = _reader().profile.columns, file_format(options.format)
        names = [column.name for column in columns]
        self._pieces = form.pieces(options, columns)
        self._writer = form.writer(
            Plan(options=options, columns=columns, headings=names, about=_ABOUT, compact=compact)
        )

    def begin(self) -> bytes:
        return self._writer.begin()

    def rows(self, table: Any) -> bytes:  # noqa: ANN401  (a Table)
        return self._writer.add(self._pieces.piece([table]))

    def end(self) -> bytes:
        return self._writer.end()


def _values(table: Table) -> Values:
    columns = [_of_column(column, texts) for column, texts in zip(table.columns, table.cells, strict=True)]
    return list(zip(*columns, strict=True))


def _of_column(column: Column, texts: Sequence[str | None]) -> Sequence[Any]:
    """Make of texts what they stand for, as a database gives it: whole numbers, amounts, days."""
    if not is_number(column) and column.type not in _DAYS:
        return texts
    number = int if column.type == "integer" else Decimal
    made: Callable[[str], Any] = date.fromisoformat if column.type in _DAYS else number
    return [None if text is None else made(text) for text in texts]


def _tables(pages: int) -> Iterator[Table]:
    reader, bodies = _reader(), [_body(page * _PAGE + 1) for page in range(_DISTINCT_PAGES)]
    for page in range(pages):
        yield reader.table(reader.read(Answer(bodies[page % _DISTINCT_PAGES])).rows)


def _body(first_id: int) -> bytes:
    return msgspec.json.encode({"items": list(sample_memberships(_PAGE, "user-1", first_id)), "nextCursor": "next"})


def _reader() -> Reader:
    return reader_of(read_profile(shipped_text("memberships"), "measured"))


_XLSX = Options(format=Format.XLSX)
KINDS: Mapping[str, Kind] = {
    "csv.writer": Kind(_CsvModule, _values),
    "CSV before options": Kind(_FormerCsv),
    "CSV spreadsheet": Kind(lambda: _Ours(Options())),
    "CSV excel-de": Kind(lambda: _Ours(of_preset(Preset.EXCEL_DE))),
    "JSON Lines": Kind(lambda: _Ours(Options(format=Format.JSONL))),
    "XLSX level 1": Kind(lambda: _Ours(_XLSX, compact=False)),
    "XLSX level 6": Kind(lambda: _Ours(_XLSX)),
    "XlsxWriter": Kind(_XlsxWriter, _values),
}


if __name__ == "__main__":
    print(msgspec.json.encode(one_file(sys.argv[1], int(sys.argv[2]))).decode())
