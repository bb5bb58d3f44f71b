"""What ties the file to the same rows as plain CSV."""

from dataclasses import replace
from hashlib import sha256

from memberships_export.domain.formats.csv import CsvWriter
from memberships_export.domain.formats.file_format import Plan
from memberships_export.domain.formats.options import Preset, of_preset
from memberships_export.domain.source.reader import Table


class RawChecksum:
    """The SHA-256 of the file that the same rows, columns, filters and zone would be as CSV with preset raw."""

    def __init__(self, plan: Plan) -> None:
        """Begin with no rows."""
        chosen = plan.options
        raw = replace(of_preset(Preset.RAW), columns=chosen.columns, time_zone=chosen.time_zone, filters=chosen.filters)
        names = [column.name for column in plan.columns]
        self._csv = CsvWriter(replace(plan, options=raw, headings=names))
        self._digest = sha256()
        self._csv_exists = True

    def begin(self) -> None:
        """Add the headings."""
        self._digest.update(self._csv.begin())

    def add(self, table: Table) -> None:
        """Add rows."""
        try:
            self._digest.update(self._csv.rows(table))
        except UnicodeEncodeError:
            self._csv_exists = False

    def hexdigest(self) -> str | None:
        """Return it, of all that was added; None where a text holds half a character, as no CSV can."""
        return self._digest.hexdigest() if self._csv_exists else None
