"""What a user may choose about the file, as options of commands. The service checks it, and only what was typed."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from memberships_export.domain.formats.options import MEANINGS, Format, Preset
from memberships_export.entrypoints.cli.exits import WrongUsage

Chosen = Mapping[str, Any]
"""What was typed, under the names that the API has for it."""

_PRESETS = " ".join(f"{preset}: {meaning}." for preset, meaning in MEANINGS.items())

FileFormat = Annotated[
    Format | None,
    typer.Option("--format", help="csv, unless you say: xlsx, a workbook for people; jsonl, JSON Lines for programs."),
]
FilePreset = Annotated[Preset | None, typer.Option(metavar="PRESET", help=f"For csv. {_PRESETS}")]
Columns = Annotated[
    str | None, typer.Option(metavar="NAMES", help="Of columns, in the order of the file: id,name,state. Else all.")
]
Language = Annotated[
    str | None, typer.Option(metavar="TAG", help="Of labels and mail, such as de or fr-CH. `options` lists them.")
]
TimeZone = Annotated[str | None, typer.Option(metavar="ZONE", help="Of times in the file, such as Europe/Berlin.")]
Delimiter = Annotated[str | None, typer.Option(metavar="CHARACTER", help="For csv. Between cells: , ; | or tab.")]
Decimal = Annotated[str | None, typer.Option(metavar="MARK", help="For csv. Before decimals: . or ,")]
Bom = Annotated[
    bool | None, typer.Option("--bom/--no-bom", show_default=False, help="For csv. With or without byte order mark.")
]
Guard = Annotated[
    bool | None,
    typer.Option(
        "--guard/--no-guard", show_default=False, help="For csv. With or without an apostrophe before formulas."
    ),
]
Filters = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="NAME:VALUE", help="Only some memberships, such as state:active. Repeatable."),
]


def chosen(**typed: object) -> Chosen:
    """Leave out what was not typed."""
    return {name: value for name, value in typed.items() if value is not None}


def listed(columns: str | None) -> Sequence[str] | None:
    """Read names with commas between them."""
    return None if columns is None else [name.strip() for name in columns.split(",")]


def pairs(filters: Sequence[str] | None) -> Mapping[str, str] | None:
    """Read NAME:VALUE, several times. Raises WrongUsage."""
    read: dict[str, str] = {}
    for typed in filters or []:
        name, colon, value = typed.partition(":")
        if not colon or not name:
            raise WrongUsage(f"--filter {typed!r} is no NAME:VALUE such as state:active.")
        if name in read:
            raise WrongUsage(f"--filter {name} is there twice: say it once.")
        read[name] = value
    return read or None
