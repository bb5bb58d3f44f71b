"""Sources whose calls can be asked ahead: what a test's `fetch` does happens when the request leaves."""

from dataclasses import dataclass

from memberships_export.domain.errors import ExportError
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile


@dataclass(slots=True)
class Came:
    """An Awaited that came already, or went wrong."""

    came: Answer | ExportError

    def answer(self) -> Answer:
        if isinstance(self.came, ExportError):
            raise self.came
        return self.came

    def drop(self) -> None:
        """Nothing is open."""


class AsksAhead:
    """The half of a MembershipSource that makes a call before its answer is wanted."""

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:
        raise NotImplementedError

    def ask(self, call: Call, profile: KnownProfile) -> Came:
        try:
            return Came(self.fetch(call, profile))
        except ExportError as error:
            return Came(error)
