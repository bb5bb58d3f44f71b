"""Which formats there are. Each is loaded when a file of its kind is written: who starts does not wait for it."""

from collections.abc import Sequence

from memberships_export.domain.formats.file_format import FileFormat
from memberships_export.domain.formats.options import Format


def file_format(name: Format) -> FileFormat:
    """Return the format of this name."""
    match name:
        case Format.CSV:
            from memberships_export.domain.formats.csv import Csv  # noqa: PLC0415

            return Csv()
        case Format.XLSX:
            from memberships_export.domain.formats.xlsx.xlsx import Xlsx  # noqa: PLC0415

            return Xlsx()
        case Format.JSONL:
            from memberships_export.domain.formats.jsonl import JsonLines  # noqa: PLC0415

            return JsonLines()


def every_format() -> Sequence[FileFormat]:
    """Return all formats, each once, for what has to name them."""
    return [file_format(name) for name in Format]
