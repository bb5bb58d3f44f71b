"""Which formats there are, and which one the options of an export mean."""

from collections.abc import Sequence

from memberships_export.domain.formats.csv import Csv
from memberships_export.domain.formats.file_format import FileFormat
from memberships_export.domain.formats.options import Preset


def file_format(preset: Preset) -> FileFormat:
    """Choose the format by the options of the export."""
    return Csv(preset)


def every_format() -> Sequence[FileFormat]:
    """Return all formats, each once, for what has to name them."""
    return [Csv(Preset.RAW)]
