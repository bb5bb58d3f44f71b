"""What a user may choose about the file."""

from enum import StrEnum


class Preset(StrEnum):
    """For whom the CSV is written."""

    SPREADSHEET = "spreadsheet"  # UTF-8 with BOM, formula guard
    RAW = "raw"  # plain RFC 4180
