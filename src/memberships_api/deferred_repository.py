"""For a process that has to start although the database of the memberships may be away."""

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from threading import Lock
from time import monotonic

from memberships_api.membership import Membership
from memberships_api.repository import MembershipRepository, MembershipsUnavailable, Page, PageRequest
from memberships_api.staging import Draft, Staging

_PAUSE_SECONDS = 5.0


class DeferredRepository:
    """A MembershipRepository that is opened with its first use, or later when that fails.

    One thread at a time tries, and for a few seconds after a failure nobody does: an attempt may take long, and who
    waits for it holds a thread that others need. Meanwhile every method raises the MembershipsUnavailable of the last
    attempt.
    """

    def __init__(self, opening: Callable[[], MembershipRepository], clock: Callable[[], float] = monotonic) -> None:
        """Open nothing yet. `clock`: seconds since whenever."""
        self._opening = opening
        self._clock = clock
        self._opened: MembershipRepository | None = None
        self._trying = Lock()
        self._failure = MembershipsUnavailable("The database of the memberships is being opened.")
        self._again_at = float("-inf")

    def close(self) -> None:
        """Do nothing when the database was never asked for."""
        if self._opened:
            self._opened.close()

    def cursor_key(self) -> bytes:
        """Open the database, if need be, and return its key."""
        return self._repository().cursor_key()

    def page(self, request: PageRequest) -> Page:
        """Open the database, if need be, and read one page."""
        return self._repository().page(request)

    def add(self, memberships: Iterable[Membership]) -> int:
        """Open the database, if need be, and add all of them or none."""
        return self._repository().add(memberships)

    def staged(
        self, drafts: Iterable[Draft], silent: Collection[str], *, update: bool
    ) -> AbstractContextManager[Staging]:
        """Put drafts beside the memberships."""
        return self._repository().staged(drafts, silent, update=update)

    def _repository(self) -> MembershipRepository:
        if self._opened:
            return self._opened
        if not self._trying.acquire(blocking=False):
            raise MembershipsUnavailable(*self._failure.args)
        try:
            return self._opened or self._open()  # another thread may just have opened it
        finally:
            self._trying.release()

    def _open(self) -> MembershipRepository:
        if self._clock() < self._again_at:
            raise MembershipsUnavailable(*self._failure.args)
        try:
            self._opened = self._opening()
        except MembershipsUnavailable as error:
            self._failure, self._again_at = error, self._clock() + _PAUSE_SECONDS
            raise
        return self._opened
