"""One page ahead: the next page is under way while the last one is worked on, and never more than that."""

from dataclasses import dataclass

from memberships_export.domain.errors import MembershipsContractBroken
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.progress import Progress
from memberships_export.ports import Awaited, MembershipSource
from memberships_export.service.worker.walk import Walk


@dataclass(slots=True)
class OneAhead:
    """Asks for the pages of one walk."""

    source: MembershipSource
    walk: Walk
    _awaited: tuple[Call, Awaited] | None = None

    def ask(self, progress: Progress) -> None:
        """Ask for the page behind this progress, if there is one. What is wrong with it is told by `answer`."""
        self.drop()
        if progress.grade:
            return
        try:
            call = self.walk.call(progress)
        except MembershipsContractBroken:
            return
        self._awaited = call, self.source.ask(call, self.walk.reader.known)

    def answer(self, progress: Progress) -> Answer:
        """Return that page, whether it was asked for before or not. Raises what fetching it raises."""
        call = self.walk.call(progress)
        if self._awaited and self._awaited[0] == call:
            return self._awaited[1].answer()
        self.drop()
        return self.source.fetch(call, self.walk.reader.known)

    def drop(self) -> None:
        """Let go of a page that nobody needs any more."""
        if self._awaited:
            self._awaited[1].drop()
        self._awaited = None
