"""Which user of the memberships API has an address: exactly one whose address equals it, or nobody."""

from msgspec.structs import replace

from memberships_export.domain.errors import UnknownMember
from memberships_export.domain.source.asking import User
from memberships_export.domain.source.profile import Column, KnownProfile, Request, Rows, SinglePage, UserLookup
from memberships_export.domain.source.reader import Page, Reader


def lookup_profile(known: KnownProfile, lookup: UserLookup) -> KnownProfile:
    """Return a profile by which users are asked for and read as rows, with the access of the profile itself."""
    asked = replace(
        known.profile,
        user=None,
        request=Request(path=lookup.path, params=lookup.params, headers=known.profile.request.headers),
        rows=Rows(path=lookup.rows, key=(lookup.id,)),
        paginator=SinglePage(),
        total=None,
        columns=(Column(name="email", path=lookup.email, optional=True),),
    )
    return replace(known, profile=asked)


def found_user(reader: Reader, page: Page | None, user: User) -> User:
    """Return the user with the API's own id. An API may match parts of addresses: only equal ones count.

    Raises UnknownMember unless exactly one row has the address, upper and lower case aside.
    """
    rows = page.rows if page else ()
    addresses = reader.table(rows).cells[0] if rows else ()
    ids = [key for key, email in zip(reader.keys(rows), addresses, strict=True) if _same(email, user.email)]
    if len(ids) != 1:
        reason = (
            f"The memberships API has {len(ids) or 'no'} users with exactly the address that the export is for, and "
            "one is needed: compare the addresses there with those of the tokens."
        )
        raise UnknownMember(reason)
    return User(str(ids[0]), user.email)


def _same(email: str | None, other: str) -> bool:
    return email is not None and email.lower() == other.lower()
