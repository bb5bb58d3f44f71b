"""Erasing a person: all that the service has of a user, while it runs. What cannot be reached is named."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from memberships_export.domain.audit import SYSTEM, Action, Origin
from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.export.tombstone import UNREADABLE, Tombstone, tombstone_of, tombstone_of_unreadable
from memberships_export.domain.messages.belonging import Belongings, Queued
from memberships_export.ports import Clock, DeadLetters, Erasures, ExportStore
from memberships_export.service.auditing import Audit
from memberships_export.service.clear_erased import Cleared, ClearErased

_ALL_LETTERS = 100_000
_ALL_DUE = 100_000
_NOTHING = Cleared(mails=0, messages=0, letters=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remainder:
    """What erasing cannot reach, until when it is there, and who can do something about it."""

    what: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was erased, or would be in a dry run, and what may still be somewhere. It names no person."""

    began_at: datetime
    owner: str | None  # keyed hash of the user id; None: several users
    exports: Sequence[Tombstone]
    cleared: Cleared
    remains: Sequence[Remainder]
    dry_run: bool = False

    @property
    def rows(self) -> int:
        """How many rows were in the files that are erased."""
        return sum(one.rows or 0 for one in self.exports)


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseUser:
    """The use cases behind `memberships-export erase`. Run again, each does what is left to do."""

    store: ExportStore
    erasures: Erasures
    dead_letters: DeadLetters
    clear: ClearErased
    audit: Audit
    clock: Clock

    def __call__(self, user_id: str, origin: Origin = SYSTEM, *, dry_run: bool = False) -> Receipt:
        """Erase all that is there of a user now; what they ask for from now on is left alone.

        All tombstones first, so that nothing is forgotten when the rest is stopped. Raises StorageUnavailable.
        """
        now, owner = self.clock(), self.audit.pseudonym(user_id)
        planned = list(self._planned(user_id, owner, now))
        if dry_run:
            return _receipt(now, owner, planned, _NOTHING, dry_run=True)
        with self.audit.noting(origin, Action.DATA_ERASED, user_id=user_id) as noted:
            receipt = self._erase(user_id, owner, planned, now)
            noted.detail = f"exports={len(receipt.exports)}"
        return receipt

    def _erase(self, user_id: str, owner: str, planned: Sequence[Tombstone], now: datetime) -> Receipt:
        begun = [self.erasures.begin(one) for one in planned]
        tombstones = _each_once([*begun, *self._unfinished(owner, now)])
        ids = frozenset(one.export_id for one in tombstones)
        cleared = self._cleared(tombstones, Belongings(export_ids=ids, user_id=user_id, until=now))
        self.store.forget_turns(user_id)
        return _receipt(now, owner, tombstones, cleared)

    def again(self, tombstones: Iterable[Tombstone] | None = None, origin: Origin = SYSTEM) -> Receipt:
        """Erase what has a tombstone and came back with a backup. `tombstones`: a list from before, taken over."""
        with self.audit.noting(origin, Action.DATA_ERASED) as noted:
            receipt = self._erase_again(self.erasures.all() if tombstones is None else tombstones)
            noted.detail = f"again={len(receipt.exports)}"
        return receipt

    def _erase_again(self, tombstones: Iterable[Tombstone]) -> Receipt:
        known = [self.erasures.begin(one) for one in tombstones]
        ids = frozenset(one.export_id for one in known)
        cleared = self._cleared(known, Belongings(export_ids=ids))
        return _receipt(self.clock(), None, known, cleared)

    def tombstones(self) -> Iterator[Tombstone]:
        """Read all tombstones, oldest first."""
        return self.erasures.all()

    def _planned(self, user_id: str, owner: str, now: datetime) -> Iterator[Tombstone]:
        """Make a tombstone of each export, also of what has expired or cannot be read."""
        for export_id in self.store.ids_of_user(user_id):
            tombstone = self._tombstone(export_id, owner, now)
            if tombstone is not None and (tombstone.requested_at or now) <= now:
                yield tombstone

    def _tombstone(self, export_id: str, owner: str, now: datetime) -> Tombstone | None:
        try:
            export = self.store.get(export_id, expired=True)
        except UnreadableRecord as error:
            return tombstone_of_unreadable(error, owner, now)
        return tombstone_of(export, owner, now) if export else None

    def _unfinished(self, owner: str, now: datetime) -> list[Tombstone]:
        """Find what an erasure that was stopped has begun: its records may be gone already."""
        return [one for one in self.erasures.due(now, _ALL_DUE) if one.owner == owner]

    def _cleared(self, tombstones: Sequence[Tombstone], meant: Belongings) -> Cleared:
        cleared = self.clear(tombstones, meant)
        if cleared.letters is not None:
            return cleared
        return Cleared(mails=cleared.mails, messages=cleared.messages, letters=self._remove_letters(meant))

    def _remove_letters(self, meant: Belongings) -> int:
        """Look at the letters one by one, where the queue itself finds none by content."""
        letters = self.dead_letters.browse(_ALL_LETTERS)
        found = [one for one in letters if meant(Queued(one.message_id, one.message, one.sent_at))]
        with self.dead_letters.removing() as remove:
            for letter in found:
                remove(letter)
        return len(found)


def _each_once(tombstones: Iterable[Tombstone]) -> list[Tombstone]:
    return list({one.export_id: one for one in tombstones}.values())


def _receipt(
    now: datetime, owner: str | None, exports: Sequence[Tombstone], cleared: Cleared, *, dry_run: bool = False
) -> Receipt:
    remains = _QUEUE_REMAINS if cleared.messages is None else ()
    if any(one.outcome == UNREADABLE for one in exports):
        remains = (*remains, *_UNREADABLE_REMAINS)
    return Receipt(
        began_at=now, owner=owner, exports=exports, cleared=cleared, remains=(*_REMAINS, *remains), dry_run=dry_run
    )


_REMAINS = (
    Remainder(what="Mails that were handed over lie in the mailbox of the person.", until="the person deletes them"),
    Remainder(
        what="The mail service keeps events and logs of its own, with the address.",
        until="its own retention ends; it can be asked to erase an address",
    ),
    Remainder(
        what="Backups made before hold records, files and mails.",
        until="they are overwritten; after a restore, run: memberships-export erase --again",
    ),
    Remainder(what="Logs hold ids of exports, and no address or user id.", until="the retention of the logs ends"),
    Remainder(
        what="A worker that was under way may write something for a moment yet.",
        until="the next visit of the sweeper after its lease has ended, which deletes it",
    ),
)
_QUEUE_REMAINS = (
    Remainder(
        what="The queue finds no message by its content. Messages that wait name the user and the address. One of an "
        "erased export does nothing: a worker removes it. A plain one makes a new export: erase again.",
        until="a worker takes them, or the retention of the queue ends (14 days at most)",
    ),
)
_UNREADABLE_REMAINS = (
    Remainder(
        what="A record could not be read any more. Entries that point to it may be left, where the store has such: "
        "hashes of the user id and of earlier addresses.",
        until="the user asks for the same export again, or 30 days",
    ),
)
