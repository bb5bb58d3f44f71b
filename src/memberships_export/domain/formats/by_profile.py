"""What is chosen out of the profile in force: columns of the file, and filters of its rows."""

import re
from collections.abc import Sequence
from datetime import date

from memberships_export.domain.formats.options import FilterValue
from memberships_export.domain.formats.problems import Problems, listing, shown
from memberships_export.domain.source.profile import Profile


def chosen_columns(said: Sequence[str], profile: Profile, problems: Problems) -> tuple[str, ...]:
    """Return names of columns in the order of the file; none where that is the order of the profile."""
    known = [column.name for column in profile.columns]
    if not said:
        problems.add("columns", f"The list is empty. Leave it out for all columns, or name some of {listing(known)}.")
    looked_at = said[: len(known) + 1]  # of so many, one has to be wrong
    unknown = [name for name in dict.fromkeys(looked_at) if name not in known]
    for name in unknown:
        problems.unknown("columns", name, known, None if name == unknown[-1] else "")
    for name in dict.fromkeys(name for name in looked_at if looked_at.count(name) > 1 and name in known):
        problems.add("columns", f"{shown(name)} is named twice.")
    return () if list(said) == known else tuple(said)


def chosen_filters(said: Sequence[FilterValue], profile: Profile, problems: Problems) -> tuple[FilterValue, ...]:
    """Return filters by name."""
    for one in said[: len(profile.filters) + 1]:
        rule = profile.filters.get(one.name)
        if rule is None:
            _no_such_filter(one.name, profile, problems)
        elif rule.type == "date":
            _check_date(one, problems)
        else:
            problems.known(f"filters.{one.name}", one.value, rule.values)
    return tuple(sorted(said, key=lambda one: one.name))


def _no_such_filter(name: str, profile: Profile, problems: Problems) -> None:
    if profile.filters:
        problems.unknown("filters", name, profile.filters)
    else:
        problems.add("filters", "There are none here: leave them out, the file has all memberships.")


def _check_date(chosen: FilterValue, problems: Problems) -> None:
    if not is_day(chosen.value):
        problems.add(f"filters.{chosen.name}", f"{shown(chosen.value)} is no date: write it like 2026-03-31.")


def is_day(text: str) -> bool:
    """Tell whether it is a day of the calendar as `YYYY-MM-DD`."""
    try:
        return bool(re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False
