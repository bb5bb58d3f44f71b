"""Ids as people type them: the beginning is enough, as long as it fits one only."""

from collections.abc import Collection

from memberships_export.entrypoints.cli.exits import CommandError, WrongUsage
from memberships_export.entrypoints.cli.output import visible

FULL = 36  # characters of a UUID
SHORTEST = 4
_MOST_SHOWN = 10


def the_one(typed: str, ids: Collection[str], kind: str, where: str) -> str:
    """Return the id that is what was typed, or alone begins with it. `kind` names the thing, `where` tells all ids.

    Raises CommandError when there is none, WrongUsage when it fits several or is too short to be meant.
    """
    text = typed.strip().lower()
    if text in ids:
        return text
    if len(text) < SHORTEST:
        raise WrongUsage(f"The id is {typed!r}, but must be at least {SHORTEST} characters of one. {where}")
    fitting = sorted(one for one in ids if one.startswith(text))
    if not fitting:
        raise CommandError(f"There is no {kind} whose id begins with {typed!r}. {where}")
    if len(fitting) > 1:
        raise WrongUsage(f"{len(fitting)} ids begin with {typed!r}. Type more of the one you mean:\n{_listed(fitting)}")
    return fitting[0]


def _listed(ids: list[str]) -> str:
    left = len(ids) - _MOST_SHOWN
    lines = [*map(visible, ids[:_MOST_SHOWN]), *([f"... and {left} more"] if left > 0 else [])]
    return "\n".join(f"  {line}" for line in lines)
