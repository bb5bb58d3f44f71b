"""Changing a record: decide from what is there, write if nobody else did, else decide again."""

from collections.abc import Callable
from dataclasses import dataclass

from memberships_export.domain.errors import IllegalTransition, StorageUnavailable, UnknownExport
from memberships_export.domain.export import Export
from memberships_export.domain.lifecycle import Holder, heartbeat
from memberships_export.domain.policy import Policy
from memberships_export.ports import Clock, ExportStore

_TRIES = 50


def change(store: ExportStore, export: Export, decide: Callable[[Export], Export]) -> Export:
    """Write `decide(export)` and return the record as stored.

    `decide` must be pure: when another writer was faster it is asked again about the newer record. What it raises
    passes through. Raises UnknownExport when the record is gone.
    """
    for _ in range(_TRIES):
        wanted = decide(export)
        if wanted == export:
            return export
        stored = store.replace(export, wanted)
        if stored is not None:
            return stored
        export = _newer(store, export)
    reason = f"Export {export.export_id} was written by others {_TRIES} times in a row."
    raise StorageUnavailable(reason)


def _newer(store: ExportStore, export: Export) -> Export:
    current = store.get(export.export_id)
    if current is None:
        reason = f"There is no export {export.export_id} any more."
        raise UnknownExport(reason)
    if current.revision == export.revision:
        reason = (
            f"Another export of the same user is under way; export {export.export_id} cannot start again beside it."
        )
        raise IllegalTransition(reason)
    return current


@dataclass(slots=True, kw_only=True)
class HeldExport:
    """An export under a worker's lease, with the record as last written. Every write renews the lease."""

    export: Export
    store: ExportStore
    clock: Clock
    policy: Policy
    token: int

    def write(self, decide: Callable[[Export, Holder], Export]) -> None:
        """Change the record under our fencing token. Raises LeaseLost when it is not ours any more."""
        holder = Holder(self.token, self.clock(), self.policy)
        self.export = change(self.store, self.export, lambda export: decide(export, holder))

    def note(self, decide: Callable[[Export], Export]) -> None:
        """Add a fact that is true whoever holds the lease."""
        self.export = change(self.store, self.export, decide)

    def keep_alive(self) -> None:
        """Renew the lease when half of it is used up."""
        lease = self.export.lease
        if lease is None or lease.until - self.clock() < self.policy.lease / 2:
            self.write(heartbeat)
