"""The dead letter desk: look at what failed, put it back on its way, clear it."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum

from memberships_export.domain.audit import SYSTEM, Action, Origin
from memberships_export.domain.errors import IllegalTransition, InvalidMessage, UnknownExport, UnreadableRecord
from memberships_export.domain.export.delivery import back_on_its_way
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.messages.letters import DeadLetter
from memberships_export.domain.messages.wake import Wake, export_id_of, parse_message, wake_message
from memberships_export.ports import Clock, DeadLetters, Erasures, ExportQueue, ExportStore
from memberships_export.service.auditing import Audit
from memberships_export.service.record import change

log = logging.getLogger(__name__)
_BATCH = 100_000


class RedriveOutcome(StrEnum):
    """What redriving a letter does, or would do in a dry run."""

    REDRIVEN = "redriven"  # on its way again, from its last checkpoint
    FINISHED = "finished"  # nothing to do any more: the letter is removed
    REFUSED = "refused"  # stays in the dead letter queue; the text says why


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """What became of one letter; `text` says why, for a person."""

    letter: DeadLetter
    export_id: str | None
    outcome: RedriveOutcome
    text: str


@dataclass(frozen=True, slots=True)
class _Run:
    """One command: who gave it, and the receipts of the letters that were noted for it already."""

    origin: Origin
    noted: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveExports:
    """The use cases behind `dlq list|show|redrive|purge`."""

    store: ExportStore
    erasures: Erasures
    queue: ExportQueue
    dead_letters: DeadLetters
    clock: Clock
    policy: Policy
    audit: Audit

    def letters(self) -> Sequence[DeadLetter]:
        """Read all letters, oldest first."""
        return self.dead_letters.browse(_BATCH)

    def redrive_all(self, origin: Origin = SYSTEM, *, dry_run: bool) -> Iterator[Redriven]:
        """Put all back on their way; their letters at once where the queue can move them by itself, else one by one.

        Records first: whatever becomes of a letter then, the sweeper wakes its export.
        """
        letters = self.letters()
        decided = [self._decide(letter) for letter in letters]
        movable, run = not dry_run and decided and all(map(_can_be_moved, decided)), _Run(origin)
        if (movable and all(self._prepare(one, run) for one in decided) and self.dead_letters.move_all()) or dry_run:
            yield from decided
        else:
            yield from self._one_by_one(letters, run)

    def redrive(self, letters: Sequence[DeadLetter], origin: Origin = SYSTEM, *, dry_run: bool) -> Iterator[Redriven]:
        """Put exports back on their way, one after the other. Killed half-way, it can simply be run again.

        Raises StorageUnavailable, also when one cannot be noted in the audit log: it stays as it is.
        """
        if dry_run:
            yield from map(self._decide, letters)
        else:
            yield from self._one_by_one(letters, _Run(origin))

    def _one_by_one(self, letters: Sequence[DeadLetter], run: _Run) -> Iterator[Redriven]:
        with self.dead_letters.removing() as remove:
            for letter in letters:
                yield self._apply(self._decide(letter), remove, run)

    def purge(self, origin: Origin = SYSTEM) -> int:
        """Remove all letters; return how many. The records stay and keep their reasons."""
        with self.audit.noting(origin, Action.DLQ_PURGED) as noted:
            purged = self.dead_letters.purge()
            noted.detail = f"letters={purged}"
        return purged

    def purge_these(self, letters: Sequence[DeadLetter], origin: Origin = SYSTEM) -> int:
        """Remove these letters; return how many. The records stay and keep their reasons."""
        with self.dead_letters.removing() as remove:
            for letter in letters:
                with self.audit.noting(origin, Action.DLQ_PURGED, export_id=export_id_of(letter) or "") as noted:
                    remove(letter)
                    noted.detail = "letters=1"
        return len(letters)

    def _decide(self, letter: DeadLetter) -> Redriven:
        try:
            wake = parse_message(letter.message, letter.message_id)
        except InvalidMessage as error:
            return _refused(letter, None, f"{error.reason} It can only be purged.")
        try:
            export = self.store.get(wake.export_id)
        except UnreadableRecord as error:
            return _refused(letter, error.export_id, error.reason)
        if export is not None:
            return self._decide_about(export, wake, letter)
        if self.erasures.get(wake.export_id):
            return _refused(letter, wake.export_id, "This export was erased; its letter can only be purged.")
        if not wake.plain:
            return _refused(letter, wake.export_id, "The record of this export is gone; it can only be purged.")
        return _decided(letter, wake.export_id, RedriveOutcome.REDRIVEN, "Starts from the beginning.")

    def _decide_about(self, export: Export, wake: Wake, letter: DeadLetter) -> Redriven:
        if not wake.is_for(export):
            return _refused(letter, export.export_id, "It names another user or address than its export.")
        if export.status in {ExportStatus.COMPLETED, ExportStatus.CANCELLED}:
            text = f"The export is {export.status}: the letter is no longer needed."
            return _decided(letter, export.export_id, RedriveOutcome.FINISHED, text)
        try:
            text = f"Goes on at step {self._on_its_way(export).stage}."
        except IllegalTransition as error:
            return _refused(letter, export.export_id, error.reason)
        return _decided(letter, export.export_id, RedriveOutcome.REDRIVEN, text)

    def _prepare(self, decided: Redriven, run: _Run) -> bool:
        """Put the record on its way, and leave the letter to be moved. False: that is not possible any more."""
        export = self.store.get(decided.export_id or "")
        if export is None or decided.outcome is RedriveOutcome.FINISHED:
            return True
        try:
            with self._noting(decided, run):
                change(self.store, self.clock(), export, self._on_its_way)
        except (IllegalTransition, UnknownExport):
            return False
        return True

    def _apply(self, decided: Redriven, remove: Callable[[DeadLetter], None], run: _Run) -> Redriven:
        if decided.outcome is not RedriveOutcome.REFUSED:
            try:
                with self._noting(decided, run):
                    self._redrive(decided, remove)
            except (IllegalTransition, UnknownExport) as error:
                return _refused(decided.letter, decided.export_id, error.reason)
            except ValueError as error:  # the queue takes no such message
                return _refused(decided.letter, decided.export_id, str(error))
        log.info("export=%s event=redrive outcome=%s", decided.export_id, decided.outcome)
        return decided

    def _redrive(self, decided: Redriven, remove: Callable[[DeadLetter], None]) -> None:
        """Record first, message second, letter last: at every point in between a second run does the rest."""
        if decided.outcome is RedriveOutcome.REDRIVEN:
            self._wake(decided)
        remove(decided.letter)

    def _noting(self, decided: Redriven, run: _Run) -> AbstractContextManager[object]:
        if decided.letter.receipt in run.noted:
            return nullcontext()
        run.noted.add(decided.letter.receipt)
        export_id = decided.export_id or ""
        export = self.store.get(export_id)
        user_id = export.user_id if export else None
        return self.audit.noting(run.origin, Action.DLQ_REDRIVEN, export_id=export_id, user_id=user_id)

    def _wake(self, decided: Redriven) -> None:
        export = self.store.get(decided.export_id or "")
        if export is None:
            self.queue.send(decided.letter.message)  # a plain message: the worker makes its record
            return
        export = change(self.store, self.clock(), export, self._on_its_way)
        self.queue.send(wake_message(export), export.stage)

    def _on_its_way(self, export: Export) -> Export:
        return back_on_its_way(export, self.clock(), self.policy)


def _can_be_moved(decided: Redriven) -> bool:
    """Tell whether a letter does as a message: one that names no export would start another one under its new id."""
    return decided.outcome is not RedriveOutcome.REFUSED and "exportId" in decided.letter.message.attributes


def _refused(letter: DeadLetter, export_id: str | None, text: str) -> Redriven:
    return _decided(letter, export_id, RedriveOutcome.REFUSED, text)


def _decided(letter: DeadLetter, export_id: str | None, outcome: RedriveOutcome, text: str) -> Redriven:
    return Redriven(letter=letter, export_id=export_id, outcome=outcome, text=text)
