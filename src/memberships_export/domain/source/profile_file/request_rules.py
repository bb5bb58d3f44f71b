"""What a profile asks: a request that HTTP allows, for one user, in which nothing stands twice."""

import re
from collections.abc import Iterator
from datetime import date, time
from math import isfinite
from typing import Any

from memberships_export.domain.source.paths import PathInvalid, parse_path
from memberships_export.domain.source.profile import REFERENCE, ApiKey, Profile, ServiceJwt
from memberships_export.domain.source.profile_file.filter_rules import PAGING_PARAMS
from memberships_export.domain.source.profile_file.header_rules import broken_by_headers
from memberships_export.domain.source.profile_file.places import Broken, Place
from memberships_export.domain.source.profile_file.secrets import is_reference

PLACEHOLDERS = ("{user.id}", "{user.email}", "{page.size}")
_LOOK = re.compile(r"\{\s*[A-Za-z_]+(?:\s*\.\s*[A-Za-z_]+)*\s*\}")
# In a query of GraphQL braces are everywhere, but never with a dot between two words.
_LOOK_IN_JSON = re.compile(r"\{\s*[A-Za-z_]+(?:\s*\.\s*[A-Za-z_]+)+\s*\}")
_PARAMS: Place = ("request", "params")
_JSON: Place = ("request", "json")
_LARGEST = 2**63


def broken_by_request(profile: Profile) -> Iterator[Broken]:
    """Find what could not be sent, what would be sent twice, and a request that is for nobody."""
    yield from broken_path(("request", "path"), profile.request.path)
    yield from _broken_by_method(profile)
    yield from _broken_by_params(profile)
    yield from _broken_by_paging_in_json(profile)
    yield from broken_by_headers(profile)
    yield from _broken_by_placeholders(profile)
    yield from _broken_by_places_of_secrets(profile)
    if not _names_a_user(profile):
        text = (
            'names no user: put "{user.id}" or "{user.email}" into path, params or json, so that it asks for their rows'
        )
        yield Broken(("request",), text, (("auth",), (*_PARAMS,), _JSON, ("request", "path")))


def broken_path(place: Place, path: str) -> Iterator[Broken]:
    """Find what keeps a text from being the path of a URL."""
    if not path.startswith("/") or path.startswith("//"):
        yield Broken(place, "must begin with one /: it goes on where MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL ends")
    if "?" in path or "#" in path:
        yield Broken(place, "must end before ? or #: what is asked stands in params")
    if not path.isprintable() or set(path) & set(" \\") or {".", ".."} & set(path.split("/")):
        yield Broken(place, r"must be the path of a URL: without blanks, \ and steps such as ..")


def _broken_by_places_of_secrets(profile: Profile) -> Iterator[Broken]:
    """Look at names: they may stand for themselves, but what looks like the place of a secret must be one."""
    for key in ("username", "client_id"):
        text = getattr(profile.auth, key, "")
        if is_reference(text) and not re.fullmatch(REFERENCE, text):
            yield Broken(("auth", key), "begins like the place of a secret, and is none: write env:NAME or secret:ID")


def _broken_by_method(profile: Profile) -> Iterator[Broken]:
    request = profile.request
    if request.method == "POST" and request.json is None:
        yield Broken(_JSON, "is missing: it is what a POST sends, such as a query of GraphQL", (("request", "method"),))
    if request.method == "GET" and request.json is not None:
        yield Broken(_JSON, 'is only sent with method = "POST": set that, or remove it', (("request", "method"),))
    if any(not _is_json(value) for value in _inside(request.json)):
        yield Broken(_JSON, "holds a date, a time, or a number that JSON does not know: write it as a text in quotes")
    if any(isinstance(value, int) and abs(value) >= _LARGEST for value in request.params.values()):
        yield Broken(_PARAMS, "holds a number of more than 64 bits: write it as a text in quotes")


def _broken_by_params(profile: Profile) -> Iterator[Broken]:
    request, paginator, auth = profile.request, profile.paginator, profile.auth
    taken: dict[str, Place] = {name: (*_PARAMS, name) for name in request.params}
    posts = request.method == "POST"  # then what pages goes into json
    used = [] if posts else [(("paginator", key), getattr(paginator, key, None)) for key in PAGING_PARAMS]
    if isinstance(auth, ApiKey) and auth.location == "query":
        used.append((("auth", "name"), auth.name))
        if not auth.allow_key_in_url:
            text = 'is missing: URLs are kept in many logs. Say true, or use location = "header" if the API takes that'
            yield Broken(("auth", "allow_key_in_url"), text, (("auth", "location"),))
    for place, name in used:
        other = taken.setdefault(name, place) if name is not None else place
        if other != place:
            yield Broken(place, f'sends "{name}", and so does {{other}}: remove one', (other,))
    known = {*request.params, *(rule.param for rule in profile.filters.values())}
    for name in set(request.first_page_only) - known:
        yield Broken(("request", "first_page_only"), f'names "{name}", which is not in params', (_PARAMS,))
    for name in request.first_page_only:
        if profile.rows.owner is None and "{user." in str(request.params.get(name)):
            text = f'names "{name}", and without it nothing says whose the rows of other pages are: name rows.owner'
            yield Broken(("request", "first_page_only"), text, ((*_PARAMS, name),))


def _broken_by_paging_in_json(profile: Profile) -> Iterator[Broken]:
    """Look where in the body of a POST the size and the place of a page go: names of paging are paths there."""
    if profile.request.method != "POST":
        return
    for key in PAGING_PARAMS:
        name, place = getattr(profile.paginator, key, None), ("paginator", key)
        if name is None:
            continue
        try:
            *way, last = parse_path(name)
        except PathInvalid as error:
            yield Broken(place, f"is no path into json, which a POST sends: {error}", (_JSON,))
            continue
        if not all(isinstance(step, str) for step in (*way, last)) or not _leads_through_tables(profile, way):
            text = "must lead through tables of json, such as variables.after: there a POST says which page it wants"
            yield Broken(place, text, (_JSON,))


def _leads_through_tables(profile: Profile, way: list[str | int]) -> bool:
    value: Any = profile.request.json or {}
    for step in way:
        value = value.get(step, {})
        if not isinstance(value, dict):
            return False
    return True


def _broken_by_placeholders(profile: Profile) -> Iterator[Broken]:
    request = profile.request
    texts: list[tuple[Place, Any]] = [(("request", "path"), request.path)]
    texts += [((*_PARAMS, name), value) for name, value in request.params.items()]
    texts += [(("request", "headers", name), value) for name, value in request.headers.items()]
    for place, text in texts:
        yield from _unknown_placeholders(place, text, _LOOK)
    for name in request.params:
        if _LOOK.search(name):
            yield Broken((*_PARAMS, name), "stands in a name: placeholders are for values only")
    for text in _inside(request.json):
        yield from _unknown_placeholders(_JSON, text, _LOOK_IN_JSON)
    query = (request.json or {}).get("query")
    if isinstance(query, str) and any(placeholder in query for placeholder in PLACEHOLDERS):
        text = "must have no placeholder in it: declare a variable, and put the placeholder into json.variables"
        yield Broken((*_JSON, "query"), text)


def _unknown_placeholders(place: Place, text: Any, look: re.Pattern[str]) -> Iterator[Broken]:  # noqa: ANN401  (TOML)
    for found in look.findall(text) if isinstance(text, str) else ():
        if found not in PLACEHOLDERS:
            yield Broken(place, f"{found[:40]} is no placeholder: there are {', '.join(PLACEHOLDERS)}")


def _names_a_user(profile: Profile) -> bool:
    request = profile.request
    texts = [request.path, *request.params.values(), *_inside(request.json)]
    named = any(who in text for text in texts if isinstance(text, str) for who in PLACEHOLDERS[:2])
    return named or isinstance(profile.auth, ServiceJwt)  # its token is for one user


def _inside(value: Any) -> Iterator[Any]:  # noqa: ANN401  (TOML)
    """Return all values in a value, those at the ends of its branches."""
    if isinstance(value, dict):
        for part in value.values():
            yield from _inside(part)
    elif isinstance(value, list):
        for part in value:
            yield from _inside(part)
    else:
        yield value


def _is_json(value: object) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, int):
        return abs(value) < _LARGEST
    return not isinstance(value, date | time)
