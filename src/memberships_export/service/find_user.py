"""Who a user is in the memberships API, where that knows them by ids of its own."""

from dataclasses import dataclass, field

from memberships_export.domain.errors import NothingThere
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.lookup import found_user, lookup_profile
from memberships_export.domain.source.profile import UserLookup
from memberships_export.domain.source.reader import Reader, reader_of
from memberships_export.ports import MembershipSource


@dataclass(frozen=True, slots=True)
class FindUser:
    """Asks the API for the user with an address. Each profile is compiled for that once."""

    source: MembershipSource
    _readers: dict[str, Reader] = field(default_factory=dict)  # by fingerprint

    def __call__(self, by: Reader, user: User) -> User:
        """Return the user as the API knows them; as they are where the profile has no lookup. Raises UnknownMember."""
        lookup = by.profile.user
        if lookup is None:
            return user
        reader = self._reader(by, lookup)
        try:
            answer = self.source.fetch(Ask(reader.profile, user, size=1).page(None), reader.known)
        except NothingThere:
            return found_user(reader, None, user)
        return found_user(reader, reader.read(answer), user)

    def _reader(self, by: Reader, lookup: UserLookup) -> Reader:
        if by.known.fingerprint not in self._readers:
            self._readers[by.known.fingerprint] = reader_of(lookup_profile(by.known, lookup))
        return self._readers[by.known.fingerprint]
