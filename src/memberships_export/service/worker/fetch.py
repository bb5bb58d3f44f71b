"""Step 1: fetch the memberships page by page; every page becomes a write-once part, then a checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass

from memberships_export.domain.errors import (
    FileDamaged,
    FileMissing,
    MembershipsCutShort,
    PermanentError,
    StopRequested,
)
from memberships_export.domain.export.bounds import check_size, check_time
from memberships_export.domain.export.held import fetch_again, page_fetched
from memberships_export.domain.export.record import Export, Stage
from memberships_export.domain.source.page import after_page, decode_page
from memberships_export.domain.source.part import as_part, page_of
from memberships_export.domain.source.progress import Progress
from memberships_export.ports import FileStore, MembershipSource, PageRequest
from memberships_export.service.file_keys import part_key
from memberships_export.service.worker.held_export import HeldExport, begin_again


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPages:
    """The first stage: pages become parts, beginning after the last page on the record."""

    source: MembershipSource
    files: FileStore
    page_size: int

    def __call__(self, held: HeldExport, should_stop: Callable[[], bool]) -> None:
        """Fetch until the last page is checkpointed. Raises StopRequested between two pages.

        A stored page that is damaged lets the walk start over.
        """
        try:
            self._walk(held, should_stop)
        except FileDamaged as error:
            begin_again(held, fetch_again, error)

    def _walk(self, held: HeldExport, should_stop: Callable[[], bool]) -> None:
        resumed = held.export.claims > 1
        while held.export.stage is Stage.FETCH:
            if should_stop():
                raise StopRequested
            progress = self._stored_page(held.export) if resumed else None
            resumed = progress is not None
            checkpoint = progress or self._fetch_page(held)
            check_size(checkpoint, held.policy)
            held.write(page_fetched, progress=checkpoint)

    def _stored_page(self, export: Export) -> Progress | None:
        """Take up a page that a worker before us stored but did not live to checkpoint."""
        key = _key(export)
        part = self.files.read(key)
        if part is None:
            return None
        try:
            return _progress(export, page_of(key, part))
        except (PermanentError, MembershipsCutShort) as error:  # it was checked before it was stored
            raise FileDamaged(key, "it does not go with the pages before it") from error

    def _fetch_page(self, held: HeldExport) -> Progress:
        export, key = held.export, _key(held.export)
        check_time(export, held.clock(), held.policy)
        body = self.source.fetch(PageRequest(export.user_id, export.progress.cursor, self.page_size))
        progress = _progress(export, body)  # nothing is stored before it is checked
        if self.files.put_once(key, as_part(key, body)):
            return progress
        stored = self._stored_page(export)
        if stored is None:
            reason = f"Page {export.progress.pages + 1} was stored by another worker and then deleted."
            raise FileMissing(reason)
        return stored


def _key(export: Export) -> str:
    return part_key(export.export_id, export.progress.walk, export.progress.pages, export.progress.cursor)


def _progress(export: Export, body: bytes) -> Progress:
    return after_page(export.progress, decode_page(body), export.user_id, len(body))
