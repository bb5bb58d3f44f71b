"""What clients say about a file, and what they see of it: the same names, so that one can be sent as the other."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from memberships_export.domain.formats.options import DECIMALS, DELIMITERS, LANGUAGES, MEANINGS, Format, Options, Preset
from memberships_export.domain.formats.said import say
from memberships_export.entrypoints.api.view import View

FORMAT_MEANINGS: Mapping[Format, str] = {
    Format.CSV: "text that spreadsheets and programs read",
    Format.XLSX: "a workbook of Excel and others, with typed cells",
    Format.JSONL: "JSON Lines for programs",
}
_PRESETS = " ".join(f"`{preset}`: {meaning}." for preset, meaning in MEANINGS.items())
_LANGUAGE = {"type": "string", "examples": ["de", "fr-CH"], "pattern": f"^({'|'.join(LANGUAGES)})(-[A-Z]{{2}})?$"}
# By JSON name: what the document says of each. What is allowed, the domain decides, for all ways to ask alike.
SCHEMAS: dict[str, dict[str, Any]] = {
    "format": {
        "type": "string",
        "enum": [kind.value for kind in Format],
        "default": Format.CSV.value,
        "description": " ".join(f"`{name}`: {meaning}." for name, meaning in FORMAT_MEANINGS.items()),
    },
    "columns": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "uniqueItems": True,
        "description": "Names of columns in the order of the file; without it all. "
        "`GET /memberships/exports/options` tells them.",
    },
    "language": _LANGUAGE | {"description": "Of labels and mail. Without it: what you are known to read."},
    "timeZone": {
        "type": "string",
        "examples": ["Europe/Berlin"],
        "description": "Of times in the file and the mail, by its name in the IANA database.",
    },
    "delimiter": {"type": "string", "enum": [*DELIMITERS], "description": "CSV only: between cells."},
    "decimal": {"type": "string", "enum": [*DECIMALS], "description": "CSV only: the decimal mark of amounts."},
    "bom": {"type": "boolean", "description": "CSV only: a byte order mark at the start, as Excel needs it."},
    "guard": {
        "type": "boolean",
        "description": "CSV only: an apostrophe before what a spreadsheet could run as a formula. "
        "`false` only beside a preset.",
    },
    "preset": {
        "type": "string",
        "enum": [preset.value for preset in Preset],
        "default": Preset.SPREADSHEET.value,
        "description": f"CSV only: a name for a set of options. {_PRESETS}",
    },
    "filters": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "examples": [{}],
        "description": "Only some memberships, where the service has filters: each by its name, with its value.",
    },
}


class ExportOptions(BaseModel):
    """What may be chosen about the file. What is left out is as usual."""

    # Whatever is sent goes on as it is: the domain tells all that is wrong with it at once.
    model_config = ConfigDict(
        extra="allow", json_schema_extra={"properties": dict(SCHEMAS), "additionalProperties": False}
    )

    def said(self) -> dict[str, object]:
        """Return what was sent."""
        return dict(self.model_extra or {})


class OptionsView(View):
    """What is chosen about a file. Sent as a request, without the nulls, it gives the same file again."""

    format: Format
    columns: list[str] | None = Field(default=None, description="Null: all.")
    language: str
    time_zone: str
    delimiter: str | None = Field(default=None, description="Null, as the next four, where the format is not CSV.")
    decimal: str | None = None
    bom: bool | None = None
    guard: bool | None = None
    preset: Preset | None = None
    filters: dict[str, str] = Field(default_factory=dict)


def options_view(options: Options) -> OptionsView:
    """Show options."""
    return OptionsView.model_validate(say(options))
