"""The options of a file: what was asked for, checked against what there is, completed by what its reader likes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from memberships_export.domain.formats.by_profile import chosen_columns, chosen_filters
from memberships_export.domain.formats.languages import language_of
from memberships_export.domain.formats.options import (
    DECIMALS,
    DELIMITERS,
    LANGUAGES,
    FilterValue,
    Format,
    Likes,
    Options,
    Preset,
    ZoneNames,
    of_preset,
)
from memberships_export.domain.formats.problems import Problem, Problems, shown
from memberships_export.domain.formats.zones import find_zone, is_known_zone, places
from memberships_export.domain.source.profile import Profile

CSV_ONLY = ("preset", "delimiter", "decimal", "bom", "guard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was said about a file, in the words of clients; None where nothing was."""

    format: str | None = None
    preset: str | None = None
    columns: tuple[str, ...] | None = None
    language: str | None = None
    time_zone: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    bom: bool | None = None
    guard: bool | None = None
    filters: tuple[FilterValue, ...] = ()  # each name once
    misread: tuple[Problem, ...] = ()  # what of it could not even be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What there is to choose from. It is looked up only where it matters: most wishes name nothing of it."""

    profile: Callable[[], Profile]  # the one in force
    zone_names: ZoneNames


def choose(wanted: Wanted, offer: Offer, likes: Likes) -> Options:
    """Return what the file is going to be. Raises InvalidOptions with all that is wrong."""
    problems = Problems(list(wanted.misread))
    kind = problems.known("format", wanted.format, {kind.value: kind for kind in Format}) or Format.CSV
    written = _as_csv(wanted, problems) if kind is Format.CSV else _not_as_csv(kind, wanted, problems)
    chosen = replace(
        written,
        columns=() if wanted.columns is None else chosen_columns(wanted.columns, offer.profile(), problems),
        filters=chosen_filters(wanted.filters, offer.profile(), problems) if wanted.filters else (),
        language=_language(wanted, written, likes, problems),
        time_zone=_time_zone(wanted, written, offer, likes, problems),
    )
    problems.check()
    return chosen


def _not_as_csv(kind: Format, wanted: Wanted, problems: Problems) -> Options:
    for option in CSV_ONLY:
        if getattr(wanted, option) is not None:
            problems.add(option, f"It is an option of CSV: leave it out beside the format {kind.value}.")
    return Options(format=kind)


def _as_csv(wanted: Wanted, problems: Problems) -> Options:
    preset = problems.known("preset", wanted.preset, {preset.value: preset for preset in Preset})
    plain = of_preset(preset or Preset.SPREADSHEET)
    marks = {mark: mark for mark in DECIMALS}
    chosen = replace(
        plain,
        delimiter=problems.known("delimiter", wanted.delimiter, DELIMITERS) or plain.delimiter,
        decimal=problems.known("decimal", wanted.decimal, marks) or plain.decimal,
        bom=plain.bom if wanted.bom is None else wanted.bom,
        guard=plain.guard if wanted.guard is None else wanted.guard,
    )
    _check_marks(chosen, wanted, problems)
    if not chosen.guard and wanted.preset is None:
        problems.add("guard", _WITHOUT_GUARD)
    return chosen


_WITHOUT_GUARD = (
    "Without it a spreadsheet runs what looks like a formula. If that is meant, name the preset too: 'raw' for "
    "programs, or 'spreadsheet'."
)


def _check_marks(chosen: Options, wanted: Wanted, problems: Problems) -> None:
    if chosen.delimiter == chosen.decimal and not problems.about("preset", "delimiter", "decimal"):
        option, other = ("delimiter", "decimal mark") if wanted.delimiter is not None else ("decimal", "delimiter")
        problems.add(option, f"{shown(chosen.delimiter)} is the {other} already: choose another for one of them.")


def _language(wanted: Wanted, written: Options, likes: Likes, problems: Problems) -> str:
    if wanted.language is not None:
        found = language_of(wanted.language)
        if found is None:
            problems.unknown("language", wanted.language, LANGUAGES)
        return found or written.language
    if written.preset.startswith("excel-"):
        return written.language
    return next(filter(None, map(language_of, likes.languages)), written.language)


def _time_zone(wanted: Wanted, written: Options, offer: Offer, likes: Likes, problems: Problems) -> str:
    if wanted.time_zone is not None:
        found = find_zone(wanted.time_zone, offer.zone_names)
        if found is None:
            _no_such_zone(wanted.time_zone, offer, problems)
        return found or written.time_zone
    liked = likes.time_zones if written.for_people else ()
    return next(filter(is_known_zone, liked), written.time_zone)


def _no_such_zone(said: str, offer: Offer, problems: Problems) -> None:
    hint = "Zones have the names of the IANA database, such as 'Europe/Berlin'."
    problems.unknown("timeZone", said, places(offer.zone_names()), hint)
