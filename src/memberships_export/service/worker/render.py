"""Step 2: stream the parts into one file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from memberships_export.domain.errors import (
    FileDamaged,
    FileMissing,
    MembershipsContractBroken,
    MembershipsCutShort,
    OutOfTime,
    StopRequested,
)
from memberships_export.domain.export.held import fetch_again, rendered
from memberships_export.domain.export.record import Export, StoredFile
from memberships_export.domain.formats.formats import file_format
from memberships_export.domain.source.page import Page, decode_page
from memberships_export.domain.source.part import page_of
from memberships_export.ports import FileSink, FileStore
from memberships_export.service.file_keys import file_key, part_key, parts_folder
from memberships_export.service.worker.held_export import HeldExport, begin_again

if TYPE_CHECKING:
    from hashlib import _Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderFile:
    """Write the file, then point the record to it."""

    files: FileStore

    def __call__(self, held: HeldExport, should_stop: Callable[[], bool]) -> None:
        """Render all parts. A part that is gone or damaged sends the export back to the fetch.

        The record points to the file from the next write on, which is the send intent: nothing is sent before.
        """
        try:
            file = self._render(held, should_stop)
        except FileMissing as error:
            begin_again(held, fetch_again, error)
            return
        held.write_with_next(rendered, file=file)

    def _render(self, held: HeldExport, should_stop: Callable[[], bool]) -> StoredFile:
        export, form = held.export, file_format(held.export.preset)
        key = file_key(export, form.ending)
        with self.files.writing(key) as sink:
            written = _Written(sink)
            written.add(form.begin(), rows=0)
            for page in self._pages(export):
                if should_stop():
                    raise OutOfTime if written.rows else StopRequested
                written.add(form.rows(page.items), rows=len(page.items))
                held.keep_alive()
            written.add(form.end(), rows=0)
            _check_complete(export, written.rows)
        return StoredFile(
            key=key,
            name=f"memberships-{export.requested_at:%Y-%m-%d}.{form.ending}",
            rows=written.rows,
            bytes=written.size,
            sha256=written.digest.hexdigest(),
            expires_at=held.clock() + held.policy.keep_files,
        )

    def _pages(self, export: Export) -> Iterator[Page]:
        """Walk the parts; each names the cursor, and so the key, of the next."""
        cursor: str | None = None
        for number in range(export.progress.pages):
            page = self._page(part_key(export.export_id, export.progress.walk, number, cursor))
            yield page
            cursor = page.next_cursor

    def _page(self, key: str) -> Page:
        part = self.files.read(key)
        if part is None:
            raise FileMissing
        try:
            return decode_page(page_of(key, part))
        except (MembershipsContractBroken, MembershipsCutShort) as error:  # it was checked before it was stored
            raise FileDamaged(key, "it is no page of memberships") from error


@dataclass(slots=True)
class _Written:
    """The file so far: what was written is also counted and hashed."""

    sink: FileSink
    rows: int = 0
    size: int = 0
    digest: "_Hash" = field(default_factory=sha256)

    def add(self, chunk: bytes, rows: int) -> None:
        self.sink.write(chunk)
        self.digest.update(chunk)
        self.size += len(chunk)
        self.rows += rows


def _check_complete(export: Export, rows: int) -> None:
    if rows != export.progress.rows:
        raise FileDamaged(parts_folder(export.export_id), f"{export.progress.rows} rows were fetched, {rows} are there")
