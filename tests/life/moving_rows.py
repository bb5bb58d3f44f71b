"""A memberships API of any shape whose rows come and go between two calls, and which remembers what it held when."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from memberships_export.domain.errors import MembershipsUnavailable, PlaceForgotten
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from tests.fakes.shelf import BASE, Row, Shelf
from tests.life.test_life_of_an_export import MembershipsThatMayBeDown

MOST_ROWS = 9
_LONGEST = 2000  # bytes of a page


class MovingShelf(Shelf):
    """The rows of one user.

    Each page has a length of its own, by which it is known again: `sent` tells the version of the rows that it is of,
    and the profile by which it was asked for.
    """

    def __init__(self, user: str, count: int) -> None:
        super().__init__([self._row(user, number) for number in range(count)])
        self.user = user
        self.versions = [self._ids()]
        self.sent: dict[int, tuple[int, str]] = {}
        self._made = count

    @property
    def version(self) -> int:
        """The number of the current version."""
        return len(self.versions) - 1

    def change_before_call(self, number: int, place: int, comes: bool) -> None:  # noqa: FBT001
        """Let a row come or go before so many calls from now; 0: at once."""
        change = partial(self._insert if comes else self._remove, place)
        if number == 0:
            change()
            return
        call = len(self.calls) + number
        earlier = self.before.get(call, lambda: None)
        self.before[call] = lambda: (earlier(), change())

    def _remove(self, place: int) -> None:
        if self.rows:
            del self.rows[place % len(self.rows)]
        self.versions.append(self._ids())

    def _insert(self, place: int) -> None:
        """Put a row, with a key that there was never before, before the one at this place, or behind all."""
        if len(self.rows) < MOST_ROWS:
            self.rows.insert(place % (len(self.rows) + 1), self._row(self.user, self._made))
            self._made += 1
        self.versions.append(self._ids())

    def last_key(self, query: Mapping[str, str]) -> Answer:
        if "after" in query and query["after"] not in self._ids():
            raise PlaceForgotten
        return super().last_key(query)

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        answer = super().fetch(call, profile)
        length = _LONGEST + len(self.sent)
        self.sent[length] = self.version, profile.fingerprint
        return Answer(answer.body.ljust(length), answer.headers)

    def _ids(self) -> list[str]:
        return [row["id"] for row in self.rows]

    @staticmethod
    def _row(user: str, number: int) -> Row:
        return {"id": f"{user}-m-{number:03d}", "name": f"Plan {number}", "user": user}


class MovingSource(MembershipsThatMayBeDown):
    """A shelf for each user, and beside them fixed rows by our own contract."""

    def __init__(self, own_rows: Sequence[Mapping[str, Any]], users: Sequence[str], count: int) -> None:
        super().__init__(own_rows)
        self.shelves = {user: MovingShelf(user, count) for user in users}

    @property
    def base_url(self) -> str:
        return BASE

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        if self.down:
            raise MembershipsUnavailable
        if profile.name == "memberships":
            return super().fetch(call, profile)
        asked = next((user for user in self.shelves if f"user={user}&" in f"{call.query}&"), None)
        return self.shelves[asked or next(iter(self.shelves))].fetch(call, profile)  # nobody's is any shelf's to refuse
