"""For a process that has to start although the database of the memberships may be away."""

from collections.abc import Callable, Collection, Iterable

from memberships_api.membership import Membership
from memberships_api.repository import MembershipRepository, Occupied, Page, PageRequest


class DeferredRepository:
    """A MembershipRepository that is opened with its first use, and again with the next until that works.

    Every method raises what opening it raises.
    """

    def __init__(self, opening: Callable[[], MembershipRepository]) -> None:
        """Open nothing yet."""
        self._opening = opening
        self._opened: MembershipRepository | None = None

    def close(self) -> None:
        """Close the connections that are not in use."""
        if self._opened:
            self._opened.close()

    def cursor_key(self) -> bytes:
        """Give the secret that signs cursors."""
        return self._repository().cursor_key()

    def page(self, request: PageRequest) -> Page:
        """Read one page."""
        return self._repository().page(request)

    def occupied(self, users: Collection[str], ids: Collection[int]) -> Occupied:
        """Tell what is there already for these users and ids."""
        return self._repository().occupied(users, ids)

    def add(self, memberships: Iterable[Membership]) -> int:
        """Add all of them or none."""
        return self._repository().add(memberships)

    def _repository(self) -> MembershipRepository:
        # Without a lock two threads may open one each, which is harmless. With one, all would wait for each attempt.
        if self._opened is None:
            self._opened = self._opening()
        return self._opened
