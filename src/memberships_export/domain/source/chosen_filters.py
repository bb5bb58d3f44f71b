"""What is sent to an API for the filters that were chosen."""

from collections.abc import Mapping

from memberships_export.domain.errors import FilterGone
from memberships_export.domain.source.profile import Profile


def params_for(profile: Profile, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of filters, and the value of each; `chosen` has names and values as members say them.

    Raises FilterGone: they are checked when an export is asked for, and the profile may be another one since.
    """
    return dict(_param(profile, name, value) for name, value in chosen.items())


def _param(profile: Profile, name: str, value: str) -> tuple[str, str]:
    rule = profile.filters.get(name)
    if rule is None:
        raise FilterGone(f"The profile has no filter {name} any more: ask for a new export.")
    if rule.type == "choice" and value not in rule.values:
        raise FilterGone(f"The filter {name} of the profile has no value {value} any more: ask for a new export.")
    return rule.param, rule.values[value] if rule.type == "choice" else value
