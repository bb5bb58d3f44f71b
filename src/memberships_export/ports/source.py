"""The memberships API, and the profiles by which it is asked."""

from typing import Protocol

from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.domain.source.reader import Reader


class MembershipSource(Protocol):
    """Makes calls to the memberships API, with what proves who we are."""

    @property
    def base_url(self) -> str:
        """Where the API is, without a slash at its end."""
        ...

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        """Fetch one page as received, acting for exactly that user. What it is, only its reader can tell.

        Raises MembershipsUnavailable when no whole answer came, MembershipsRefused for what a person has to mend,
        PlaceForgotten when a page that is not the first is refused, NothingThere for status 400, 404, 410 and 422, and
        MembershipsContractBroken for any other answer that is no page and never will be.
        """
        ...

    def ask(self, call: Call, profile: KnownProfile) -> "Awaited":
        """Make a call now and read its answer later: it is under way while something else is done.

        It raises nothing: whatever goes wrong is told by `answer`.
        """
        ...


class Awaited(Protocol):
    """A call that was made, whose answer nobody has read yet. It belongs to the thread that made it."""

    def answer(self) -> Answer:
        """Read the answer, once. Raises what `fetch` raises."""
        ...

    def drop(self) -> None:
        """Let the answer go unread. Harmless after `answer`."""
        ...


class Readers(Protocol):
    """The profiles of this process: our own contract, and the one in force, which may be the same."""

    @property
    def only_own(self) -> bool:
        """True when our own contract is the one in force."""
        ...

    @property
    def own(self) -> Reader:
        """Our own contract."""
        ...

    @property
    def current(self) -> Reader:
        """The profile in force."""
        ...
