"""The FileFormat XLSX: what Excel, LibreOffice and others open by a double click, with typed cells.

The format: ECMA-376, part 1, SpreadsheetML.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from memberships_export.domain.formats.file_format import Piece, Plan
from memberships_export.domain.formats.options import Options
from memberships_export.domain.formats.xlsx.about import about_rows
from memberships_export.domain.formats.xlsx.archive import Archive
from memberships_export.domain.formats.xlsx.cells import rows_of
from memberships_export.domain.formats.xlsx.columns import width_of
from memberships_export.domain.formats.xlsx.package import parts
from memberships_export.domain.formats.xlsx.pieces import XlsxPieces, beside
from memberships_export.domain.formats.xlsx.raw_rows import RawChecksum
from memberships_export.domain.formats.xlsx.sheets import Limits, Sheets
from memberships_export.domain.formats.xlsx.styles import BOLD, Styles, styles_of
from memberships_export.domain.formats.xlsx.texts import text_cells
from memberships_export.domain.source.profile import Column


class Xlsx:
    """The FileFormat."""

    ending: ClassVar[str] = "xlsx"
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    content_type: ClassVar[str] = media_type

    def pieces(self, options: Options, columns: Sequence[Column]) -> XlsxPieces:
        """Return what makes pieces: rows as XML."""
        return XlsxPieces(options, columns)

    def writer(self, plan: Plan) -> "XlsxWriter":
        """Begin a file."""
        return XlsxWriter(plan)


@dataclass(slots=True)
class XlsxWriter:
    """The FileWriter. `limits` of a sheet are those of the format, or smaller."""

    plan: Plan
    limits: Limits = field(default_factory=Limits)
    guarded: int = 0  # text cells cannot run, so none gets an apostrophe
    _archive: Archive = field(init=False)
    _sheets: Sheets = field(init=False)
    _styles: Styles = field(init=False)
    _raw: RawChecksum = field(init=False)
    _cut: int = 0

    def __post_init__(self) -> None:
        """Make what the file is written with."""
        plan = self.plan
        self._archive = Archive(compact=plan.compact)
        self._styles = styles_of(plan.columns)
        self._raw = RawChecksum(plan.columns)
        headings = "".join(rows_of([text_cells([heading], BOLD) for heading in plan.headings]))
        widths = [width_of(column, heading) for column, heading in zip(plan.columns, plan.headings, strict=True)]
        self._sheets = Sheets(self._archive, plan.about.rows_title, headings, widths, self.limits)

    def begin(self) -> bytes:
        """Return the beginning of the first sheet."""
        self._sheets.begin()
        return self._archive.taken()

    def add(self, piece: Piece) -> bytes:
        """Return these rows, compressed, as far as the compression gives them out. Raises LimitExceeded."""
        more = beside(piece)
        self._raw.add(more.raw)
        self._styles.use(more.styles)
        self._cut += more.cut
        self._sheets.add(piece.rows, piece.content)
        return self._archive.taken()

    def end(self) -> bytes:
        """Return what is left, the sheet about the file, and what stands around sheets. Raises LimitExceeded."""
        self._sheets.end()
        rows = about_rows(self.plan, self._raw.hexdigest(), self._cut, self._styles)
        about = self._sheets.add_small(self.plan.about.title, rows)
        for name, content in parts([*self._sheets.names, about], self._styles.xml()):
            self._archive.add(name, content)
        self._archive.close()
        return self._archive.taken()
