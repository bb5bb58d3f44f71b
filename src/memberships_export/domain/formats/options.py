"""What a user may choose about the file."""

from collections.abc import Mapping
from enum import StrEnum


class Preset(StrEnum):
    """For whom the CSV is written."""

    SPREADSHEET = "spreadsheet"
    RAW = "raw"


MEANINGS: Mapping[Preset, str] = {
    Preset.SPREADSHEET: "safe and readable in Excel and others",
    Preset.RAW: "plain RFC 4180 for programs",
}
