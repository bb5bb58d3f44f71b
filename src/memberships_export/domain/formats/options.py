"""What a user may choose about the file, and what is chosen in the end."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256


class Format(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


class Preset(StrEnum):
    """Names for sets of options of CSV."""

    SPREADSHEET = "spreadsheet"
    RAW = "raw"
    EXCEL_EN = "excel-en"
    EXCEL_DE = "excel-de"
    EXCEL_FR = "excel-fr"
    EXCEL_IT = "excel-it"
    EXCEL_NL = "excel-nl"
    EXCEL_ES = "excel-es"


MEANINGS: Mapping[Preset, str] = {
    Preset.SPREADSHEET: "safe and readable in Excel and others",
    Preset.RAW: "plain RFC 4180 for programs",
    Preset.EXCEL_EN: "for a double click where Excel is set to English",
    Preset.EXCEL_DE: "the same for German: semicolons, decimal commas",
    Preset.EXCEL_FR: "the same for French",
    Preset.EXCEL_IT: "the same for Italian",
    Preset.EXCEL_NL: "the same for Dutch",
    Preset.EXCEL_ES: "the same for Spanish",
}
LANGUAGES = ("en", "de", "fr", "it", "nl", "es")
DELIMITERS: Mapping[str, str] = {",": ",", ";": ";", "tab": "\t", "|": "|"}  # what users write -> what is meant
DECIMALS = (".", ",")
ZoneNames = Callable[[], Collection[str]]
"""Returns the names of all time zones of the IANA database. It reads many files: to be asked only where it matters."""


@dataclass(frozen=True, slots=True)
class FilterValue:
    """What a filter of the profile is set to, in the words of members."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All that was chosen about a file, nothing left to guess. What a format has no use for is as in a new one."""

    format: Format = Format.CSV
    preset: Preset = Preset.SPREADSHEET
    columns: tuple[str, ...] = ()  # names in the order of the file; none: all, as the profile has them
    language: str = "en"  # of labels and mails; a region may follow: de-CH
    time_zone: str = "UTC"  # of instants, by its name in the IANA database
    delimiter: str = ","
    decimal: str = "."
    bom: bool = True
    guard: bool = True  # against formulas
    filters: tuple[FilterValue, ...] = ()  # by name

    @property
    def key(self) -> str:
        """What makes two wishes of one user the same wish. A plain preset is its own key, as in older records."""
        if self == of_preset(self.preset):
            return self.preset.value
        chosen = json.dumps(asdict(self), sort_keys=True, ensure_ascii=True)
        return f"{self.format}-{sha256(chosen.encode()).hexdigest()[:24]}"

    @property
    def for_people(self) -> bool:
        """Whether people read the file itself: labels stand above the columns, and times are in their zone."""
        return self.format is Format.XLSX or (self.format is Format.CSV and self.preset is not Preset.RAW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Likes:
    """What the reader of a file likes where nothing was said: the first of each that there is."""

    languages: tuple[str, ...] = ()  # tags of BCP 47, in whatever form
    time_zones: tuple[str, ...] = ()

    def then(self, others: "Likes") -> "Likes":
        """Return these, and behind them those of others."""
        return Likes(languages=(*self.languages, *others.languages), time_zones=(*self.time_zones, *others.time_zones))


def of_preset(preset: Preset) -> Options:
    """Return the options that a preset names."""
    match preset:
        case Preset.SPREADSHEET:
            return Options()
        case Preset.RAW:
            return Options(preset=preset, bom=False, guard=False)
        case Preset.EXCEL_EN:
            return Options(preset=preset)
    return Options(preset=preset, language=preset.removeprefix("excel-"), delimiter=";", decimal=",")
