"""Filters of a profile: what members type, and parameters that nothing else of the request has a use for."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from memberships_export.domain.source.paths import PathInvalid, parse_path
from memberships_export.domain.source.profile import ApiKey, Filter, Profile
from memberships_export.domain.source.profile_file.column_rules import broken_labels
from memberships_export.domain.source.profile_file.places import Broken, Place

# What is chosen about the file itself: a filter of such a name would be taken for that.
OPTIONS = (
    *("format", "columns", "language", "timezone", "delimiter", "decimal", "bom", "guard", "preset"),
    *("filter", "filters"),
)
PAGING_PARAMS = ("page_param", "offset_param", "cursor_param", "param", "size_param")
_NAME, _VALUE = "[A-Za-z][A-Za-z0-9_-]{0,29}", "[A-Za-z0-9][A-Za-z0-9_.-]{0,39}"
_PLACEHOLDER = re.compile(r"\{\s*[a-z]+\s*\.\s*[a-z]+\s*\}")


def broken_by_filters(profile: Profile) -> Iterator[Broken]:
    """Find filters that members could not name, that have nothing to say, or that would change something else."""
    known: dict[str, Place] = {}
    for name, rule in profile.filters.items():
        place: Place = ("filters", name)
        first = known.setdefault(name.lower(), place)
        if first != place:
            yield Broken(place, "is the name of {other} too, but for capitals: give each its own", (first,))
        yield from _broken_by_words(place, name, rule)
        yield from (Broken((*place, "labels"), text) for text in broken_labels(rule.labels))
    yield from _broken_by_params(profile)


def _broken_by_words(place: Place, name: str, rule: Filter) -> Iterator[Broken]:
    if name.lower() in OPTIONS:
        yield Broken(place, "is the name of an option of the file: call the filter something else")
    elif not re.fullmatch(_NAME, name):
        yield Broken(place, "is no name that members can type: 1 to 30 letters, digits, _ and -, a letter first")
    if rule.type == "date" and rule.values:
        yield Broken((*place, "values"), 'goes with type = "choice" only: a date is sent as it is', ((*place, "type"),))
    if rule.type == "choice" and not rule.values:
        text = 'is missing: what members may say, and what the API is sent for it, such as { active = "ACTIVE" }'
        yield Broken((*place, "values"), text, ((*place, "type"),))
    for said, sent in rule.values.items():
        if not re.fullmatch(_VALUE, said):
            text = f'"{said[:40]}" is nothing that members can type: 1 to 40 letters, digits, _ . and -'
            yield Broken((*place, "values"), text)
        if _PLACEHOLDER.search(sent):
            text = f"has a placeholder for {said[:40]}, and is sent as it is: write the value itself"
            yield Broken((*place, "values"), text)


def _broken_by_params(profile: Profile) -> Iterator[Broken]:
    """Look at what a filter is sent as: a param of the query, or a place in the JSON of a POST."""
    posts = profile.request.method == "POST"
    taken = _taken(profile, posts=posts)
    for name, rule in profile.filters.items():
        place: Place = ("filters", name, "param")
        try:
            steps = parse_path(rule.param) if posts else (rule.param,)
        except PathInvalid as error:
            yield Broken(place, f"is no path into json, which a POST sends: {error}", (("request", "json"),))
            continue
        if posts and not _leads_to_a_place(profile.request.json or {}, steps):
            text = "must lead through tables of json to one value, such as variables.state"
            yield Broken(place, text, (("request", "json"),))
            continue
        for other, where in taken.items():
            if _overlap(steps, other):
                yield Broken(place, f'sends "{rule.param}", and so does {{other}}: choose another param', (where,))
        taken[steps] = place


def _taken(profile: Profile, *, posts: bool) -> dict[tuple[str | int, ...], Place]:
    """Return what is sent by others. What a request says without a placeholder may be replaced: it is what is usual."""
    request, taken = profile.request, dict[tuple[str | int, ...], Place]()
    for key in PAGING_PARAMS:
        if (param := getattr(profile.paginator, key, None)) is not None:
            try:
                taken[parse_path(param) if posts else (param,)] = ("paginator", key)
            except PathInvalid:  # told where it stands
                continue
    if posts:
        return taken | dict.fromkeys(_with_placeholders(request.json or {}), ("request", "json"))
    if isinstance(profile.auth, ApiKey) and profile.auth.location == "query":
        taken[profile.auth.name,] = ("auth", "name")
    return taken | {
        (name,): ("request", "params", name)
        for name, value in request.params.items()
        if isinstance(value, str) and _PLACEHOLDER.search(value)
    }


def _with_placeholders(json: Mapping[str, Any]) -> Iterator[tuple[str | int, ...]]:
    ahead: list[tuple[tuple[str | int, ...], Any]] = [((), json)]
    while ahead:
        steps, value = ahead.pop()
        if isinstance(value, dict | list):
            inside = value.items() if isinstance(value, dict) else enumerate(value)
            ahead += [((*steps, step), part) for step, part in inside]
        elif isinstance(value, str) and _PLACEHOLDER.search(value):
            yield steps


def _leads_to_a_place(json: Mapping[str, Any], steps: tuple[str | int, ...]) -> bool:
    value: Any = json
    for number, step in enumerate(steps, 1):
        if not isinstance(value, dict) or not isinstance(step, str):
            return False
        value = value.get(step, {} if number < len(steps) else None)
    return bool(steps) and not isinstance(value, dict | list)


def _overlap(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    """Tell whether one of two places is the other, or in it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]
