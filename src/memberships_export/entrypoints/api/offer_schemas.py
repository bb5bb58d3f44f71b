"""What may be chosen about a file, as JSON from which a form can be built."""

from collections.abc import Iterator

from pydantic import Field

from memberships_export.domain.formats.choosing import CSV_ONLY
from memberships_export.domain.formats.formats import every_format
from memberships_export.domain.formats.languages import OWN_NAMES
from memberships_export.domain.formats.options import DECIMALS, DELIMITERS, MEANINGS, Format, Preset, of_preset
from memberships_export.domain.formats.said import NAMES, say
from memberships_export.entrypoints.api.options_schemas import FORMAT_MEANINGS, OptionsView, options_view
from memberships_export.entrypoints.api.view import View
from memberships_export.service.user.offer import MOST_ZONES, Offered


class FormatOffer(View):
    """A kind of file."""

    name: Format
    media_type: str
    file_ending: str
    meaning: str
    options: list[str] = Field(description="Names of all options that may be said beside it.")


class ColumnOffer(View):
    """A column of the file."""

    name: str = Field(description="To be said, and what stands above the column in files for programs.")
    label: str = Field(description="What stands above it in files for people.")
    type: str


class PresetOffer(View):
    """A name for a set of options of CSV."""

    name: Preset
    meaning: str
    sets: dict[str, str | bool] = Field(description="What it stands for; what is said beside it goes before that.")


class LanguageOffer(View):
    """A language of labels and mails. A region may follow its tag, as in fr-CH."""

    tag: str
    name: str = Field(description="As its speakers call it.")


class FilterOffer(View):
    """What the memberships of the file can be narrowed by."""

    name: str
    label: str
    type: str = Field(description="`choice`: one of `values`. `date`: a day as `YYYY-MM-DD`.")
    values: list[str] | None = Field(default=None, description="Null for a date.")


class TimeZonesOffer(View):
    """Time zones: too many to list."""

    count: int
    found: list[str] = Field(description=f"At most {MOST_ZONES} that have the text of `?zone=` in their name.")


class OptionsOffer(View):
    """All that may be chosen about a file."""

    formats: list[FormatOffer]
    columns: list[ColumnOffer]
    presets: list[PresetOffer]
    delimiters: list[str]
    decimals: list[str]
    languages: list[LanguageOffer]
    filters: list[FilterOffer]
    time_zones: TimeZonesOffer
    language: str = Field(description="Of the labels.")
    defaults: OptionsView = Field(description="What you get if you say nothing.")


def options_offer(offered: Offered) -> OptionsOffer:
    """Show what is offered."""
    return OptionsOffer(
        formats=list(_formats()),
        columns=[ColumnOffer(name=column.name, label=label, type=column.type) for column, label in offered.columns],
        presets=[PresetOffer(name=name, meaning=MEANINGS[name], sets=_set_by(name)) for name in Preset],
        delimiters=list(DELIMITERS),
        decimals=list(DECIMALS),
        languages=[LanguageOffer(tag=tag, name=name) for tag, name in OWN_NAMES.items()],
        filters=[
            FilterOffer(name=name, label=label, type=known.type, values=list(known.values) or None)
            for name, (known, label) in offered.filters.items()
        ],
        time_zones=TimeZonesOffer(count=offered.zones, found=list(offered.zones_found)),
        language=offered.language,
        defaults=options_view(offered.defaults),
    )


def _formats() -> Iterator[FormatOffer]:
    for kind in every_format():
        name = Format(kind.ending)
        yield FormatOffer(
            name=name,
            media_type=kind.media_type,
            file_ending=kind.ending,
            meaning=FORMAT_MEANINGS[name],
            options=[option for option in NAMES if name is Format.CSV or option not in CSV_ONLY],
        )


def _set_by(preset: Preset) -> dict[str, str | bool]:
    """Return what a preset stands for. Only those named after a language have one."""
    said = say(of_preset(preset))
    names = ("delimiter", "decimal", "bom", "guard", *(["language"] if preset.startswith("excel-") else []))
    return {name: value for name, value in said.items() if name in names and isinstance(value, str | bool)}
