"""What stands above the columns of a file."""

from collections.abc import Callable, Mapping, Sequence

from memberships_export.domain.formats.options import Options
from memberships_export.domain.source.columns.values import is_instant
from memberships_export.domain.source.profile import Column, Filter

Translate = Callable[[str], str]
"""Returns an English text in another language, or as it is where nobody translated it."""


def headings(columns: Sequence[Column], options: Options, translate: Translate) -> list[str]:
    """Return labels where people read the file, names of the columns where programs do."""
    if not options.for_people:
        return [column.name for column in columns]
    return [_heading(column, options, translate) for column in columns]


def label_of(column: Column, language: str, translate: Translate) -> str:
    """Return the column's label in the language, such as de or de-CH; without any label its name.

    What the profile says in the language counts; else its English label is translated, which helps with usual words.
    """
    return _label(column.name, column.labels, language, translate)


def label_of_filter(name: str, known: Filter, language: str, translate: Translate) -> str:
    """Return the filter's label, in the same way."""
    return _label(name, known.labels, language, translate)


def _label(name: str, labels: Mapping[str, str], language: str, translate: Translate) -> str:
    own = labels.get(language) or labels.get(language.partition("-")[0])
    english = labels.get("en")
    return own or (translate(english) if english else name)


def _heading(column: Column, options: Options, translate: Translate) -> str:
    label = label_of(column, options.language, translate)
    return f"{label} ({options.time_zone})" if is_instant(column) else label
