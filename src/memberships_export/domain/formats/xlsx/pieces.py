"""The pieces of a workbook: rows as XML, with what their file has to know of them at its end."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Struct

from memberships_export.domain.formats.file_format import Piece
from memberships_export.domain.formats.options import Options
from memberships_export.domain.formats.xlsx.cells import rows_of
from memberships_export.domain.formats.xlsx.columns import cells_of_table
from memberships_export.domain.formats.xlsx.raw_rows import raw_rows
from memberships_export.domain.formats.xlsx.styles import styles_of
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table


class Beside(Struct, frozen=True, kw_only=True):
    """What goes with the XML of rows."""

    raw: bytes | None  # the same rows as CSV, for the checksum; None where no CSV can hold one of their texts
    cut: int  # how many texts were too long for a cell
    styles: Mapping[int, str]  # number formats that the rows use


class XlsxPieces:
    """The PieceMaker."""

    def __init__(self, options: Options, columns: Sequence[Column]) -> None:
        """Take what the pieces of a file have in common. Styles follow from its columns, and mean the same in each."""
        self._options = options
        self._columns = columns

    def piece(self, tables: Iterable[Table]) -> Piece:
        """Return the rows as XML, with points in time in the zone that was chosen."""
        rows, cut, xml, raw, styles = 0, 0, list[bytes](), list[bytes | None](), styles_of(self._columns)
        for table in tables:
            columns = cells_of_table(table, self._options.time_zone, styles)
            rows += table.rows
            cut += sum(cells.cut for cells in columns)
            xml.append("".join(rows_of(columns)).encode())
            raw.append(raw_rows(self._options, table))
        more = Beside(raw=_joined(raw), cut=cut, styles=styles.used)
        return Piece(rows=rows, content=b"".join(xml), more=msgspec.msgpack.encode(more))


def _joined(raw: Sequence[bytes | None]) -> bytes | None:
    there = [lines for lines in raw if lines is not None]
    return b"".join(there) if len(there) == len(raw) else None


def beside(piece: Piece) -> Beside:
    """Return what goes with the XML of a piece."""
    return Beside(**msgspec.msgpack.decode(piece.more))
