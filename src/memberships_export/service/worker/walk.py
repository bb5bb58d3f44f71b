"""One walk through the pages of a user: what is asked, what was met, and what a page adds."""

from dataclasses import dataclass, field
from datetime import datetime

from memberships_export.domain.errors import FileDamaged, FileMissing, MembershipsCutShort, PermanentError
from memberships_export.domain.export.record import Export
from memberships_export.domain.source.asking import Ask
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.keys import Seen
from memberships_export.domain.source.page import Asked, Step, after_page
from memberships_export.domain.source.part import Head, Part, read_part
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Reader
from memberships_export.ports import FileStore
from memberships_export.service.file_keys import part_key, parts_folder
from memberships_export.service.worker.stored_pages import answer_of, stored_parts


@dataclass(slots=True, kw_only=True)
class Walk:
    """A walk in the hands of one worker."""

    reader: Reader
    ask: Ask
    base_url: str
    files: FileStore
    _seen: Seen = field(default_factory=Seen)

    def call(self, export: Export) -> Call:
        """Ask for the next page."""
        return self.ask.page(export.progress.cursor)

    def believe(self, export: Export, answer: Answer, at: datetime) -> tuple[Progress, Part]:
        """Take a page that came, if it can be believed (see after_page for what is raised), and make it a part."""
        step, rows = self._step(export, answer, at)
        head = Head(at=at, rows=rows, next=step.progress.cursor, skip=step.skip, headers=tuple(answer.headers.items()))
        return step.progress, Part(head, answer.body)

    def stored_page(self, export: Export) -> Progress | None:
        """Take up a page that a worker before us stored but did not live to checkpoint."""
        key = next_key(export)
        stored = self.files.read(key)
        if stored is None:
            return None
        part = read_part(key, stored)
        try:
            return self._step(export, answer_of(part), part.head.at)[0].progress
        except (PermanentError, MembershipsCutShort) as error:  # it was checked before it was stored
            raise FileDamaged(key, "it does not go with the pages before it") from error

    def remember(self, export: Export) -> None:
        """Forget what was met, and read it from the parts, where keys in order do not prove that none comes twice.

        Raises FileDamaged when a part is gone or damaged.
        """
        self._seen = Seen()
        if self.reader.profile.rows.order != "none" and isinstance(export.progress.last_key, int):
            return
        try:
            for _, part in stored_parts(self.files, export):
                rows = self.reader.read(answer_of(part)).rows[part.head.skip :]
                self._seen.keys.add(self.reader.keys(rows))
                self._seen.went_to(part.head.next or "")
        except FileDamaged:
            raise
        except FileMissing as error:
            raise FileDamaged(parts_folder(export.export_id), "a page of it is gone") from error

    def _step(self, export: Export, answer: Answer, at: datetime) -> tuple[Step, int]:
        page = self.reader.read(answer)
        asked = Asked(
            owner=self.ask.owner,
            size=self.ask.rows_a_page,
            at=at,
            url=self.base_url + self.ask.path,
        )
        step = after_page(self.reader, self._seen, export.progress, page, asked)
        return step, len(page.rows)


def next_key(export: Export) -> str:
    """Key of the page that is fetched next."""
    return part_key(export, export.progress.pages, export.progress.cursor)
