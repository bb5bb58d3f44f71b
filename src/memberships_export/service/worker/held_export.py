"""An export in a worker's hands: every change of it goes under the fencing token of its claim."""

from collections.abc import Callable
from dataclasses import dataclass, field

from memberships_export.domain.errors import FileMissing
from memberships_export.domain.export.lifecycle import Holder, heartbeat, misses_files
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export
from memberships_export.ports import Clock, ExportStore
from memberships_export.service.record import change


@dataclass(slots=True, kw_only=True)
class HeldExport:
    """An export under a worker's lease, as this worker knows it. Every write renews the lease."""

    export: Export
    store: ExportStore
    clock: Clock
    policy: Policy
    token: int
    _stored: Export = field(init=False, repr=False)
    _not_yet_stored: Callable[[Export], Export] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Begin with what the store has."""
        self._keep(self.export)

    def write(self, decide: Callable[[Export, Holder], Export]) -> None:
        """Change the record under our fencing token. Raises LeaseLost when it is not ours any more."""
        self.note(self._held(decide))

    def write_with_next(self, decide: Callable[[Export, Holder], Export]) -> None:
        """Change the export here, and the record together with the next write.

        For what is followed by another write at once, and what a worker that dies in between leaves to be done again.
        """
        before, then = self._not_yet_stored, self._held(decide)
        self.export = then(self.export)
        self._not_yet_stored = lambda export: then(before(export))

    def note(self, decide: Callable[[Export], Export]) -> None:
        """Add a fact that is true whoever holds the lease."""
        self._keep(change(self.store, self._stored, lambda export: decide(self._not_yet_stored(export))))

    def keep_alive(self) -> None:
        """Renew the lease when half of it is used up."""
        lease = self.export.lease
        if lease is None or lease.until - self.clock() < self.policy.lease / 2:
            self.write(heartbeat)

    def _held(self, decide: Callable[[Export, Holder], Export]) -> Callable[[Export], Export]:
        holder = Holder(self.token, self.clock(), self.policy)
        return lambda export: decide(export, holder)

    def _keep(self, stored: Export) -> None:
        self.export = self._stored = stored
        self._not_yet_stored = _as_it_is


def begin_again(
    held: HeldExport, step_back: Callable[[Export, Holder, FileMissing], Export], error: FileMissing
) -> None:
    """Go back a step because a file is gone: at once for the first time, and then as any trouble that may pass.

    Raises the error when it is not the first.
    """
    missed_before = misses_files(held.export)
    held.write(lambda export, holder: step_back(export, holder, error))
    if missed_before:
        raise error


def _as_it_is(export: Export) -> Export:
    return export
