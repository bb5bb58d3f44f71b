"""Step 2: stream the parts into one file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

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
from memberships_export.domain.source.chosen_columns import places_of
from memberships_export.domain.source.reader import Reader
from memberships_export.ports import FileSink, FileStore, Translations
from memberships_export.service.file_keys import file_key, parts_folder
from memberships_export.service.worker.file_plan import file_plan
from memberships_export.service.worker.held_export import HeldExport, begin_again
from memberships_export.service.worker.profiles import Profiles
from memberships_export.service.worker.stored_pages import answer_of, stored_parts

if TYPE_CHECKING:
    from hashlib import _Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderFile:
    """Write the file, then point the record to it."""

    files: FileStore
    profiles: Profiles
    translations: Translations

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
        export, form = held.export, file_format(held.export.options.format)
        reader = self.profiles.of(export)
        places = places_of(reader.profile.columns, export.options.columns)
        columns = [reader.profile.columns[place] for place in places]
        translate = self.translations.into(export.options.language)
        writer = form.writer(file_plan(export, columns, held.policy, translate))
        key = file_key(export, form.ending)
        with self.files.writing(key) as sink:
            written = _Written(sink)
            written.add(writer.begin(), rows=0)
            for rows in self._pages(reader, export):
                if should_stop():
                    raise OutOfTime if written.rows else StopRequested
                written.add(writer.rows(reader.table(rows, places)), rows=len(rows))
                held.keep_alive()
            written.add(writer.end(), rows=0)
            _check_complete(export, written.rows)
        return StoredFile(
            key=key,
            name=f"memberships-{export.requested_at:%Y-%m-%d}.{form.ending}",
            rows=written.rows,
            bytes=written.size,
            sha256=written.digest.hexdigest(),
            expires_at=held.clock() + held.policy.keep_files,
            guarded=writer.guarded,
        )

    def _pages(self, reader: Reader, export: Export) -> Iterator[Sequence[Any]]:
        for key, part in stored_parts(self.files, export):
            try:
                yield reader.read(answer_of(part)).rows[part.head.skip :]
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
