"""Step 2: join the pieces of the file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from memberships_export.domain.errors import (
    FileDamaged,
    FileMissing,
    OutOfTime,
    StopRequested,
)
from memberships_export.domain.export.held import fetch_again, fetch_anew, rendered
from memberships_export.domain.export.record import Export, StoredFile
from memberships_export.domain.formats.file_format import Piece
from memberships_export.domain.formats.formats import file_format
from memberships_export.domain.source.chosen_columns import places_of
from memberships_export.ports import FileSink, FileStore, Translations
from memberships_export.service.file_keys import file_key, parts_folder
from memberships_export.service.worker.file_plan import file_plan
from memberships_export.service.worker.held_export import HeldExport, begin_again
from memberships_export.service.worker.profiles import Profiles
from memberships_export.service.worker.stored_pages import stored_parts

if TYPE_CHECKING:
    from hashlib import _Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderFile:
    """Write the file, then point the record to it.

    `takes_over`: this worker fetches too, so that an only page comes from its hand.
    """

    files: FileStore
    profiles: Profiles
    translations: Translations
    takes_over: bool

    def __call__(self, held: HeldExport, should_stop: Callable[[], bool]) -> None:
        """Join what the pages became. A part that is gone or damaged sends the export back to the fetch.

        The record points to the file from the next write on, which is the send intent: nothing is sent before.
        """
        try:
            file = self._render(held, should_stop)
        except FileMissing as error:
            if self.takes_over and _had_no_part(held.export, error):
                held.write(fetch_anew)
            else:
                begin_again(held, fetch_again, error)
            return
        held.put_down()
        held.write_with_next(rendered, file=file)

    def _render(self, held: HeldExport, should_stop: Callable[[], bool]) -> StoredFile:
        export, form = held.export, file_format(held.export.options.format)
        known = self.profiles.of(export).profile.columns
        columns = [known[place] for place in places_of(known, export.options.columns)]
        translate = self.translations.into(export.options.language)
        writer = form.writer(file_plan(export, columns, held.policy, translate))
        key = file_key(export, form.ending)
        with self.files.writing(key) as sink:
            written = _Written(sink)
            written.add(writer.begin(), rows=0)
            for piece in self._pieces(held):
                if should_stop():
                    raise OutOfTime if written.rows else StopRequested
                written.add(writer.add(piece), rows=piece.rows)
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

    def _pieces(self, held: HeldExport) -> Iterator[Piece]:
        if held.in_hand:
            return iter([held.in_hand.piece])
        return (part.piece for _, part in stored_parts(self.files, held.export))


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


def _had_no_part(export: Export, error: FileMissing) -> bool:
    """Tell the only page of an export, which goes from hand to file, from a part that is missing."""
    return export.progress.pages == 1 and not isinstance(error, FileDamaged)


def _check_complete(export: Export, rows: int) -> None:
    if rows != export.progress.rows:
        raise FileDamaged(parts_folder(export.export_id), f"{export.progress.rows} rows were fetched, {rows} are there")
