"""Membership rows as JSON Lines (https://jsonlines.org): an object for each row, with the names of the columns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from msgspec import defstruct
from msgspec.json import Encoder

from memberships_export.domain.formats.file_format import Piece, Plan
from memberships_export.domain.formats.instants import times_of
from memberships_export.domain.formats.options import Options
from memberships_export.domain.source.columns.values import is_boolean, is_date, is_instant, is_number
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table

_BOOLEANS = {"true": True, "false": False, None: None}


class JsonLines:
    """The FileFormat: UTF-8, LF after each line."""

    ending: ClassVar[str] = "jsonl"
    # Not registered, as no name of it is; of those in use it is the one that jsonlines.org and OpenAPI 3.2 name.
    media_type: ClassVar[str] = "application/jsonl"
    content_type: ClassVar[str] = media_type  # JSON has no parameter charset: it is always UTF-8

    def pieces(self, options: Options, columns: Sequence[Column]) -> "JsonLinesPieces":
        """Return what makes pieces: lines of JSON."""
        return JsonLinesPieces(options, _row_of([column.name for column in columns]))

    def writer(self, plan: Plan) -> "JsonLinesWriter":  # noqa: ARG002  (all that is written is in the pieces)
        """Begin a file."""
        return JsonLinesWriter()


class JsonLinesWriter:
    """The FileWriter: lines behind lines."""

    guarded: ClassVar[int] = 0  # no spreadsheet opens it

    def begin(self) -> bytes:
        """Return nothing: each line has the names."""
        return b""

    def add(self, piece: Piece) -> bytes:
        """Return the lines of the piece."""
        return piece.content

    def end(self) -> bytes:
        """Return nothing: the last line has its end."""
        return b""


@dataclass(frozen=True, slots=True)
class JsonLinesPieces:
    """The PieceMaker. Whole numbers are numbers, amounts are texts: no program can make other digits of them."""

    options: Options
    row: Callable[..., Any]  # makes of the values of one row what is written
    encoder: Encoder = field(default_factory=Encoder)

    def piece(self, tables: Iterable[Table]) -> Piece:
        """Return the lines of the rows: null and missing as null."""
        rows, content = 0, list[bytes]()
        for table in tables:
            values = [self._values(*column) for column in zip(table.columns, table.cells, strict=True)]
            rows += table.rows
            content.append(self.encoder.encode_lines(list(map(self.row, *values))))
        return Piece(rows=rows, content=b"".join(content))

    def _values(self, column: Column, texts: Sequence[str | None]) -> Sequence[str | int | None]:
        if is_number(column) and column.type == "integer":
            return [None if text is None else int(text) for text in texts]
        if is_boolean(column):
            return [_BOOLEANS[text] for text in texts]
        if is_instant(column) or is_date(column):
            return times_of(column, texts, self.options)
        return texts


def _row_of(names: Sequence[str]) -> Callable[..., Any]:
    """Return what makes a row: a struct, as it is written three times as fast as a dict."""
    if any('"' in name or "\\" in name for name in names):  # which msgspec would not escape in a struct, and refuses
        return lambda *values: dict(zip(names, values, strict=True))
    fields = {f"f{place}": name for place, name in enumerate(names)}
    return defstruct("Row", list(fields), rename=fields, gc=False)
