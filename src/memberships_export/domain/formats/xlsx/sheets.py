"""The sheets with rows: when one is full, the next begins with the same headings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO

from memberships_export.domain.formats.xlsx.archive import Archive
from memberships_export.domain.formats.xlsx.package import SheetName, sheet_path
from memberships_export.domain.formats.xlsx.sheet import column_letters, head, tail
from memberships_export.domain.formats.xlsx.titles import title

_WIDTHS_OF_SMALL = (42.0, 70.0)
_END_OF_ROW = b"</row>"  # in a text it would be escaped


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sheet holds."""

    rows: int = 1_048_575  # Excel's 1,048,576, the headings among them
    bytes: int = 3 * 2**29  # of XML: zipfile takes parts up to 2 GiB


@dataclass(slots=True)
class Sheets:
    """All of them, while they are written one after the other."""

    archive: Archive
    title: str
    headings: str  # as XML
    widths: Sequence[float]
    limits: Limits
    names: list[SheetName] = field(default_factory=list)
    _part: IO[bytes] = field(init=False)
    _rows: int = 0
    _bytes: int = 0

    def begin(self) -> None:
        """Begin a sheet."""
        number = len(self.names) + 1
        self._part = self.archive.part(sheet_path(number))
        self._rows = self._bytes = 0
        self._write((head(self.widths, first=number == 1, frozen=True) + self.headings).encode())

    def add(self, rows: int, xml: bytes) -> None:
        """Write rows, those that do not fit any more into further sheets."""
        if self._rows + rows > self.limits.rows or self._bytes + len(xml) > self.limits.bytes:
            self._add_one_by_one(xml)
            return
        self._write(xml)
        self._rows += rows

    def end(self) -> None:
        """End the sheet."""
        last = column_letters(len(self.widths))
        self._write(tail(f"A1:{last}{self._rows + 1}").encode())
        self._part.close()
        name = title(self.title, len(self.names) + 1, self._taken())
        self.names.append(SheetName(name, f"$A$1:${last}${self._rows + 1}"))

    def add_small(self, wish: str, rows: Sequence[str]) -> SheetName:
        """Write a sheet of two columns with names and values, and return how it is called."""
        around = head(_WIDTHS_OF_SMALL, first=False, frozen=False), tail()
        self.archive.add(sheet_path(len(self.names) + 1), around[0] + "".join(rows) + around[1])
        return SheetName(title(wish, 1, self._taken()))

    def _add_one_by_one(self, xml: bytes) -> None:
        for row in xml.split(_END_OF_ROW)[:-1]:
            size = len(row) + len(_END_OF_ROW)
            if self._rows and (self._rows == self.limits.rows or self._bytes + size > self.limits.bytes):
                self.end()
                self.begin()
            self._write(row + _END_OF_ROW)
            self._rows += 1

    def _write(self, xml: bytes) -> None:
        self._bytes += len(xml)
        self._part.write(xml)

    def _taken(self) -> set[str]:
        return {name.title for name in self.names}
