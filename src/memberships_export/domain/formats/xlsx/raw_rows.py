"""What ties the file to the same rows as plain CSV: their SHA-256 as the file of the preset raw."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from memberships_export.domain.formats.csv import CsvPieces
from memberships_export.domain.formats.options import Options, Preset, of_preset
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table


def raw_rows(chosen: Options, table: Table) -> bytes | None:
    """Return the lines of the rows; None where a text holds half a character, as no CSV can."""
    try:
        return CsvPieces(_raw(chosen.time_zone)).piece([table]).content
    except UnicodeEncodeError:
        return None


class RawChecksum:
    """The SHA-256 of the file that the same rows, columns, filters and zone would be as CSV with preset raw."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Begin with the headings."""
        self._digest = sha256(CsvPieces(_raw("UTC")).headings([column.name for column in columns]))
        self._csv_exists = True

    def add(self, rows: bytes | None) -> None:
        """Add rows, as `raw_rows` made them."""
        self._csv_exists = self._csv_exists and rows is not None
        self._digest.update(rows or b"")

    def hexdigest(self) -> str | None:
        """Return it, of all that was added; None where there can be no such CSV."""
        return self._digest.hexdigest() if self._csv_exists else None


def _raw(time_zone: str) -> Options:
    return replace(of_preset(Preset.RAW), time_zone=time_zone)
