"""How users are looked up in the memberships API: by their address, and by nothing that is not known yet."""

from collections.abc import Iterator

from memberships_export.domain.source.paths import PathInvalid, parse_path
from memberships_export.domain.source.profile import Profile, UserLookup
from memberships_export.domain.source.profile_file.places import Broken
from memberships_export.domain.source.profile_file.request_rules import broken_path


def broken_by_lookup(profile: Profile) -> Iterator[Broken]:
    """Find a lookup that asks for nobody, or whose answer nobody could read."""
    if profile.user is not None:
        yield from broken_path(("user", "path"), profile.user.path)
        yield from _broken_by_placeholders(profile.user)
        yield from _broken_by_paths(profile.user)


def _broken_by_placeholders(lookup: UserLookup) -> Iterator[Broken]:
    asked = " ".join([lookup.path, *(value for value in lookup.params.values() if isinstance(value, str))])
    if "{user.email}" not in asked:
        yield Broken(("user",), 'asks for nobody: put "{user.email}" into path or params')
    if "{user.id}" in asked:
        yield Broken(("user",), "cannot ask by {user.id}: that is what it is to find")


def _broken_by_paths(lookup: UserLookup) -> Iterator[Broken]:
    for name, path in (("rows", lookup.rows), ("id", lookup.id), ("email", lookup.email)):
        try:
            empty = not parse_path(path) and name != "rows"
        except PathInvalid as error:
            yield Broken(("user", name), f"is no path: {error}")
        else:
            if empty:
                yield Broken(("user", name), "names nothing: it is a path inside a row")
    if lookup.id == lookup.email:
        yield Broken(("user", "email"), "is where the id is: an address is no id here, ask by {user.email} instead")
