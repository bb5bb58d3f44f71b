"""Deleting all that there is of exports that have a tombstone. Whatever stops it, running it again does the rest."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.tombstone import Tombstone, cleared, once_more
from memberships_export.domain.messages.belonging import Belongings
from memberships_export.ports import (
    Clock,
    DeadLetters,
    Erasures,
    ExportQueue,
    ExportStore,
    FileStore,
    KeptMails,
    Ports,
)
from memberships_export.service.file_keys import file_folder, parts_folder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """How many there were beside the records. None: this queue finds none by content."""

    mails: int  # in the outbox
    messages: int | None
    letters: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearErased:
    """Deletes record, files, messages, letters and kept mails of exports that are erased."""

    store: ExportStore
    erasures: Erasures
    queue: ExportQueue
    dead_letters: DeadLetters
    files: FileStore
    kept_mails: KeptMails | None
    clock: Clock
    policy: Policy

    def __call__(self, tombstones: Sequence[Tombstone], meant: Belongings | None = None) -> Cleared:
        """Delete it all, and let the sweeper do so once more. `meant`: messages to remove, also of no export.

        Records go first: from then on no worker gets any further. Raises StorageUnavailable.
        """
        meant = meant or Belongings(export_ids=frozenset(one.export_id for one in tombstones))
        mails = sum(self._clear(tombstone.export_id) for tombstone in tombstones)
        messages, letters = self.queue.discard(meant), self.dead_letters.discard(meant)
        for tombstone in tombstones:
            self.erasures.replace(tombstone, cleared(tombstone, self.clock(), self.policy))
            log.info("export=%s event=erased", tombstone.export_id)
        return Cleared(mails=mails, messages=messages, letters=letters)

    def _clear(self, export_id: str) -> int:
        self.store.erase(export_id)
        self.files.delete_folder(parts_folder(export_id))
        self.files.delete_folder(file_folder(export_id))
        return self.kept_mails.delete(export_id) if self.kept_mails else 0


def clear_erased(ports: Ports, policy: Policy) -> ClearErased:
    """Wire it over the ports."""
    return ClearErased(
        store=ports.store,
        erasures=ports.erasures,
        queue=ports.queue,
        dead_letters=ports.dead_letters,
        files=ports.files,
        kept_mails=ports.kept_mails,
        clock=ports.clock,
        policy=policy,
    )


def written_in_vain(erasures: Erasures, export_id: str, now: datetime) -> None:
    """Have an erased export cleared once more: a worker that just noticed may have written parts or a file since.

    Nothing depends on it when the store is away: the sweeper comes anyway when the worker's lease has ended.
    """
    with suppress(StorageUnavailable):
        tombstone = erasures.get(export_id)
        if tombstone is not None:
            erasures.replace(tombstone, once_more(tombstone, now))
