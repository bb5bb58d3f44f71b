"""Environment variables, read once into one frozen object.

Nothing else looks at the environment, but for the secrets that a profile names (bootstrap/parts.py).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from itertools import chain
from typing import Any, get_type_hints

from memberships_export.settings.consistency import Problem, problems_between
from memberships_export.settings.declared import Settings
from memberships_export.settings.kinds import from_text
from memberships_export.settings.names import unknown, variable


class SettingsError(Exception):
    """One or more variables are wrong; `problems` names each and what it expects."""

    def __init__(self, problems: list[str]) -> None:
        """Join the problems into one text."""
        self.problems = problems
        super().__init__("\n".join(problems))


def _nothing_more(_: Settings) -> Iterable[Problem]:
    return ()


def read_settings(
    environ: Mapping[str, str], also: Callable[[Settings], Iterable[Problem]] = _nothing_more
) -> Settings:
    """Read all settings. Raises SettingsError naming every wrong variable and what it expects.

    `also` finds what only the parts of a process can judge, so that all of it is told at once.
    """
    values, wrong = _read(environ)
    settings = Settings(**values)
    between = chain(problems_between(settings), also(settings))
    problems = [
        *unknown(environ, (entry.name for entry in fields(Settings))),
        *wrong.values(),
        *(text for text, because in between if not because & wrong.keys()),
    ]
    if problems:
        raise SettingsError(problems)
    return settings


def _read(environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values that are right, and what is wrong with the others; both by field."""
    kinds = get_type_hints(Settings, include_extras=True)
    values, wrong = dict[str, Any](), dict[str, str]()
    for entry in fields(Settings):
        text = environ.get(variable(entry.name), "")
        try:
            if text:
                values[entry.name] = from_text(kinds[entry.name], text)
        except ValueError as error:
            shown = f"is {text!r}" if entry.repr else "has a wrong value (not shown, it is a secret)"
            wrong[entry.name] = f"{variable(entry.name)} {shown}, but must be {error}."
    return values, wrong
