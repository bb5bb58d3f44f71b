"""What is said about a file, as the JSON object of a request, an answer or a message."""

from collections.abc import Mapping

from memberships_export.domain.formats.choosing import Wanted
from memberships_export.domain.formats.options import DELIMITERS, FilterValue, Format, Options
from memberships_export.domain.formats.problems import Problems, shown

NAMES = (
    "format",
    "columns",
    "language",
    "timeZone",
    "delimiter",
    "decimal",
    "bom",
    "guard",
    "preset",
    "filters",
)  # as clients spell them


def read_wanted(said: Mapping[str, object]) -> Wanted:
    """Read it, whatever it holds: what cannot be read is told by `choose`, with all else that is wrong."""
    problems = Problems()
    for name in said:
        if name not in NAMES:
            problems.unknown(shown(name)[1:-1], name, NAMES)
    return Wanted(
        format=_text(said, "format", problems),
        preset=_text(said, "preset", problems),
        columns=_texts(said, "columns", problems),
        language=_text(said, "language", problems),
        time_zone=_text(said, "timeZone", problems),
        delimiter=_text(said, "delimiter", problems),
        decimal=_text(said, "decimal", problems),
        bom=_switch(said, "bom", problems),
        guard=_switch(said, "guard", problems),
        filters=_filters(said, problems),
        misread=tuple(problems.found),
    )


def say(options: Options) -> dict[str, object]:
    """Return what says the same options again. What its format has no use for is not there, nor are all columns."""
    chosen: dict[str, object] = {"format": options.format.value}
    if options.columns:
        chosen["columns"] = list(options.columns)
    chosen |= {"language": options.language, "timeZone": options.time_zone}
    if options.format is Format.CSV:
        chosen |= _say_csv(options)
    return chosen | {"filters": {one.name: one.value for one in options.filters}}


def _say_csv(options: Options) -> dict[str, object]:
    marks = {meant: said for said, meant in DELIMITERS.items()}
    return {
        "delimiter": marks[options.delimiter],
        "decimal": options.decimal,
        "bom": options.bom,
        "guard": options.guard,
        "preset": options.preset.value,
    }


def _text(said: Mapping[str, object], name: str, problems: Problems) -> str | None:
    if name not in said:
        return None
    value = said[name]
    if not isinstance(value, str):
        problems.add(name, "It takes one text. Leave it out for what is usual.")
        return None
    return value


def _texts(said: Mapping[str, object], name: str, problems: Problems) -> tuple[str, ...] | None:
    if name not in said:
        return None
    value = said[name]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        problems.add(name, "It takes a list of texts. Leave it out for all.")
        return None
    return tuple(value)


def _switch(said: Mapping[str, object], name: str, problems: Problems) -> bool | None:
    if name not in said:
        return None
    value = said[name]
    if not isinstance(value, bool):
        problems.add(name, "It takes true or false. Leave it out for what is usual.")
        return None
    return value


def _filters(said: Mapping[str, object], problems: Problems) -> tuple[FilterValue, ...]:
    values = said.get("filters", {})
    if not isinstance(values, dict):
        problems.add("filters", "It takes an object with a text for each name. Leave it out for all memberships.")
        return ()
    for name, value in values.items():
        if not isinstance(value, str):
            problems.add(f"filters.{shown(name)[1:-1]}", "It takes one text.")
    return tuple(FilterValue(name, value) for name, value in values.items() if isinstance(value, str))
