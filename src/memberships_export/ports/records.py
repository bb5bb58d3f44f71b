"""The records, for use cases, operators and what only one machine can know of who holds them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from memberships_export.domain.export.finding import Counts, Found, Place, Wanted
from memberships_export.domain.export.rate import Turn
from memberships_export.domain.export.record import Export
from memberships_export.domain.messages.new_export import NewExport, TakenIn

Clock = Callable[[], datetime]
"""The time now, as an aware UTC datetime."""


class ExportStore(Protocol):
    """The records. Every write is conditional, so no two writers undo each other."""

    def create(self, export: Export, turn: Turn | None = None) -> Export:
        """Save a new record and return it as stored; with a turn, only if its user has one left. Keeps its revision.

        Returns the record that is there instead when the id is taken, or when the user has an unfinished export with
        the same options: that takes no turn. Raises RateLimited when there is no turn left.
        """
        ...

    def take_turn(self, turn: Turn) -> None:
        """Note that a user asks for a mail. Raises RateLimited, and notes nothing, when there is no turn left."""
        ...

    def get(self, export_id: str, *, expired: bool = False) -> Export | None:
        """Read one record, never stale; with `expired` also one that is only not deleted yet.

        Raises UnreadableRecord for one that is damaged or of a newer version; so do create and find_by_message_id.
        Lists leave such a record out, and tell it in the log.
        """
        ...

    def find_by_message_id(self, message_id: str) -> Export | None:
        """Read the record that has a send with this message id since it was replaced; None when none has."""
        ...

    def replace(self, old: Export, new: Export) -> Export | None:
        """Write `new` if the record still has the revision of `old`; return it with its new revision.

        None when somebody else wrote in between, or the record is gone, or (for a finished export that becomes
        unfinished again) the user has another unfinished one with the same options.
        """
        ...

    def list_for_user(self, user_id: str, limit: int) -> Sequence[Export]:
        """Read a user's records, newest first."""
        ...

    def due(self, now: datetime, limit: int) -> Sequence[Export]:
        """Read records whose wake_at has passed, the longest overdue first. May be slightly stale."""
        ...

    def delete(self, export: Export) -> None:
        """Delete the record if it still has this revision."""
        ...

    def ids_of_user(self, user_id: str) -> Iterator[str]:
        """Read the ids of all records of a user, also of those that cannot be read or have expired. In any order."""
        ...

    def erase(self, export_id: str) -> None:
        """Delete a record, whatever its revision, with all that points to it. Harmless when it is gone."""
        ...

    def forget_turns(self, user_id: str) -> None:
        """Delete what is known of the mails that a user asked for."""
        ...

    def check(self) -> None:
        """Return when records can be read and written, as far as trying that costs next to nothing.

        Leaves nothing that the other methods see.
        """
        ...


class Intake(Protocol):
    """Takes in what users ask for: record, turn and message, of several exports at once."""

    @property
    def most(self) -> int:
        """Return how many become one write; 1: it is of no use to hand over more."""
        ...

    def take_in(self, new: Sequence[NewExport]) -> Sequence[TakenIn | Exception]:
        """Save all that can be saved, and return what became of each, in their order: one that fails fails alone.

        An outcome is what `ExportStore.create` returns or raises for record and turn. An error of the queue is not one
        of the export.
        """
        ...


class ExportDesk(Protocol):
    """The records of all users, for operators. What it reads may be slightly stale."""

    def find(self, wanted: Wanted, limit: int, after: Place | None = None) -> Found:
        """Find exports, newest first, behind this place: at most so many. `more` of the answer is where to go on."""
        ...

    def counts(self, wanted: Wanted) -> Counts:
        """Count exports by status and cause."""
        ...


class Machine(Protocol):
    """What can be known only where all processes are on one machine: which of them died, and that its clock was set."""

    def me(self) -> str:
        """Return the id of this process. From then on its death can be noticed."""
        ...

    def gone(self) -> Sequence[str]:
        """Return the ids of processes that are certainly dead and not forgotten. One that only stands still is not."""
        ...

    def held_by(self, process: str) -> Sequence[Export]:
        """Read the records on which a process has a lease."""
        ...

    def written_after(self, moment: datetime) -> Sequence[tuple[Export, datetime]]:
        """Read unfinished records that nobody works on and whose last write was later, with the time of that write."""
        ...

    def forget(self, process: str) -> None:
        """Forget a dead process. Harmless when another did so before."""
        ...
