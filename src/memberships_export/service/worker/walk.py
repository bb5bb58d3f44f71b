"""One walk through the pages of a user: what is asked, what was met, and what a page adds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from memberships_export.domain.errors import FileDamaged, FileMissing
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.file_format import PieceMaker
from memberships_export.domain.formats.part import Part, read_part
from memberships_export.domain.source.asking import Ask
from memberships_export.domain.source.exchange import Call
from memberships_export.domain.source.keys import Seen
from memberships_export.domain.source.page import Asked, Step, in_order, placed
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Page, Reader
from memberships_export.ports import FileStore
from memberships_export.service.file_keys import part_key, parts_folder
from memberships_export.service.worker.stored_pages import stored_parts


@dataclass(slots=True, kw_only=True)
class Walk:
    """A walk in the hands of one worker."""

    reader: Reader
    ask: Ask
    base_url: str
    pieces: PieceMaker
    places: Sequence[int]  # of the columns of the file, in the profile
    files: FileStore
    _seen: Seen = field(default_factory=Seen)

    def call(self, progress: Progress) -> Call:
        """Ask for the next page."""
        return self.ask.page(progress.cursor)

    def placed(self, export: Export, page: Page, at: datetime) -> Step:
        """Believe that a page is the next one (see `placed` for what is raised)."""
        asked = Asked(
            owner=self.ask.owner,
            size=self.ask.rows_a_page,
            at=at,
            url=self.base_url + self.ask.path,
        )
        return placed(self.reader, self._seen, export.progress, page, asked)

    def part(self, page: Page, step: Step, at: datetime) -> Part:
        """Make the page's piece of the file, if each of its cells can be believed. Raises MembershipsContractBroken."""
        piece = self.pieces.piece(self.reader.checked_tables(page.rows, self.places, step.skip))
        return Part(at=at, progress=step.progress, piece=piece, keys=tuple(step.keys))

    def stored_page(self, export: Export) -> Progress | None:
        """Take up a page that a worker before us stored but did not live to checkpoint."""
        key = next_key(export)
        stored = self.files.read(key)
        if stored is None:
            return None
        part = read_part(key, stored)
        if not _goes_with(export.progress, part):
            raise FileDamaged(key, "it does not go with the pages before it")
        self._take_up(part)
        return part.progress

    def remember(self, export: Export) -> None:
        """Forget what was met, and read it from the parts, where keys in order do not prove that none comes twice.

        Raises FileDamaged when a part is gone or damaged.
        """
        self._seen = Seen()
        if in_order(self.reader, export.progress.last_key):
            return
        try:
            for _, part in stored_parts(self.files, export):
                self._take_up(part)
        except FileDamaged:
            raise
        except FileMissing as error:
            raise FileDamaged(parts_folder(export.export_id), "a page of it is gone") from error

    def _take_up(self, part: Part) -> None:
        self._seen.keys.add(part.keys)
        self._seen.went_to(part.progress.cursor or "")


def next_key(export: Export) -> str:
    """Key of the page that is fetched next."""
    return part_key(export, export.progress.pages, export.progress.cursor)


def _goes_with(before: Progress, part: Part) -> bool:
    after = part.progress
    return (after.walk, after.pages, after.rows) == (before.walk, before.pages + 1, before.rows + part.piece.rows)
