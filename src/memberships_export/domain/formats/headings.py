"""What stands above the columns of a file."""

from collections.abc import Callable, Sequence

from memberships_export.domain.formats.options import Options
from memberships_export.domain.source.columns.values import is_instant
from memberships_export.domain.source.profile import Column

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
    own = column.labels.get(language) or column.labels.get(language.partition("-")[0])
    english = column.labels.get("en")
    return own or (translate(english) if english else column.name)


def _heading(column: Column, options: Options, translate: Translate) -> str:
    label = label_of(column, options.language, translate)
    return f"{label} ({options.time_zone})" if is_instant(column) else label
