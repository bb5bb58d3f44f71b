"""An export in a worker's hands: every change of it goes under the fencing token of its claim."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec

from memberships_export.domain.errors import FileDamaged, FileMissing
from memberships_export.domain.export.held import Holder, heartbeat, page_fetched
from memberships_export.domain.export.lifecycle import misses_files
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.part import Part
from memberships_export.ports import Clock, ExportStore
from memberships_export.service.record import change

log = logging.getLogger(__name__)
P = ParamSpec("P")
Step = Callable[[Export], Export]


@dataclass(slots=True, kw_only=True)
class HeldExport:
    """An export under a worker's lease, as this worker knows it. Every write renews the lease."""

    export: Export
    store: ExportStore
    clock: Clock
    policy: Policy
    token: int
    in_hand: Part | None = None  # the only page of the export, which is on no disk before its file is
    _stored: Export = field(init=False, repr=False)
    _before_page: tuple[Step, ...] = ()  # what is pending without the page in hand
    _pending: tuple[Step, ...] = field(init=False, repr=False)  # done here, and not yet in the store

    def __post_init__(self) -> None:
        """Take the export as the record on which the first write builds."""
        self._keep(self.export)

    def write(
        self, move: Callable[Concatenate[Export, Holder, P], Export], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Change the record under our fencing token: `held.write(page_fetched, progress=…)`.

        Raises LeaseLost when it is not ours any more.
        """
        self._store(self._step(move, *args, **kwargs))

    def write_with_next(
        self, move: Callable[Concatenate[Export, Holder, P], Export], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Change the export here, and the record together with the next write.

        For what is followed by another write at once, and what a worker that dies in between leaves to be done again.
        """
        step = self._step(move, *args, **kwargs)
        self.export = step(self.export)
        self._pending = (*self._pending, step)

    def keep_in_hand(self, page: Part) -> None:
        """Take the only page on to its file without storing it: the record learns of both together.

        Whoever stops before that, for whatever reason, leaves a record that knows of no page.
        """
        self._before_page = self._pending
        self.write_with_next(page_fetched, progress=page.progress)
        self.in_hand = page

    @property
    def on_record(self) -> Export:
        """The export as it will be found: without a page in hand, which is lost when anything stops this worker."""
        return self._stored if self.in_hand else self.export

    def put_down(self) -> None:
        """Say that the page in hand is in its file now."""
        self.in_hand = None

    def note(self, fact: Callable[Concatenate[Export, P], Export], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Add a fact that is true whoever holds the lease."""
        self._store(lambda export: fact(export, *args, **kwargs))

    def keep_alive(self) -> None:
        """Renew the lease when half of it is used up."""
        lease = self.export.lease
        if self.in_hand:  # what is written next is its file
            return
        if lease is None or lease.until - self.clock() < self.policy.lease / 2:
            self.write(heartbeat)

    def _step(
        self, move: Callable[Concatenate[Export, Holder, P], Export], /, *args: P.args, **kwargs: P.kwargs
    ) -> Step:
        holder = Holder(self.token, self.clock(), self.policy)
        return lambda export: move(export, holder, *args, **kwargs)

    def _store(self, step: Step) -> None:
        """Do what is pending and this step in one write. When it fails, the step is not pending: it did not happen."""
        if self.in_hand:
            self.in_hand, self._pending = None, self._before_page
        self._keep(change(self.store, self.clock(), self._stored, _in_order, (*self._pending, step)))

    def _keep(self, stored: Export) -> None:
        self.export = self._stored = stored
        self._pending = ()


def _in_order(export: Export, steps: tuple[Step, ...]) -> Export:
    for step in steps:
        export = step(export)
    return export


def begin_again(
    held: HeldExport, step_back: Callable[[Export, Holder, FileMissing], Export], error: FileMissing
) -> None:
    """Go back a step because a file is lost or damaged: at once the first time, then as any trouble that may pass.

    Raises the error when it is not the first.
    """
    if isinstance(error, FileDamaged):
        export_id = held.export.export_id
        log.warning("export=%s key=%s event=damaged reason=%s", export_id, error.key, error.reason)
    missed_before = misses_files(held.on_record)
    held.write(step_back, error)
    if missed_before:
        raise error
