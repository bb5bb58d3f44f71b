"""Step 1: fetch the memberships page by page; each becomes its piece of the file, a write-once part, a checkpoint."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from memberships_export.domain.errors import FileDamaged, FileMissing, PlaceForgotten, RowsMoved, StopRequested
from memberships_export.domain.export.bounds import check_size, check_time
from memberships_export.domain.export.held import (
    by_another_profile,
    fetch_again,
    goes_by,
    known_there_as,
    page_fetched,
    walk_again,
)
from memberships_export.domain.export.record import Export, Stage
from memberships_export.domain.formats.formats import file_format
from memberships_export.domain.formats.part import Part, as_part
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.chosen_columns import places_of
from memberships_export.domain.source.chosen_filters import params_for
from memberships_export.domain.source.completeness import RESTARTS
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Reader
from memberships_export.ports import FileStore, MembershipSource
from memberships_export.service.find_user import FindUser
from memberships_export.service.worker.canary import Canary
from memberships_export.service.worker.held_export import HeldExport, begin_again
from memberships_export.service.worker.one_ahead import OneAhead
from memberships_export.service.worker.profiles import Profiles
from memberships_export.service.worker.walk import Walk, next_key

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPages:
    """The first stage: pages become parts, beginning after the last page on the record.

    `hands_on`: this worker renders too, so that an only page stays in its hand.
    """

    source: MembershipSource
    files: FileStore
    profiles: Profiles
    canary: Canary
    find_user: FindUser
    page_size: int
    hands_on: bool

    def __call__(self, held: HeldExport, should_stop: Callable[[], bool]) -> None:
        """Fetch until the last page is checkpointed. Raises StopRequested between two pages.

        A stored page that is damaged, rows that move and a place that the API forgot let the walk start over.
        """
        while held.export.stage is Stage.FETCH:
            try:
                self._walk(held, should_stop)
            except FileDamaged as error:
                begin_again(held, fetch_again, error)
            except (RowsMoved, PlaceForgotten) as error:
                self._start_over(held, error)

    def _walk(self, held: HeldExport, should_stop: Callable[[], bool]) -> None:
        walk = self._begin(held)
        ahead = OneAhead(self.source, walk)
        resumed = held.export.claims > 1
        try:
            while held.export.stage is Stage.FETCH:
                if should_stop():
                    raise StopRequested
                progress = walk.stored_page(held.export) if resumed else None
                resumed = progress is not None
                if progress:
                    held.write(page_fetched, progress=progress)
                else:
                    self._fetch_page(walk, ahead, held)
        finally:
            ahead.drop()

    def _begin(self, held: HeldExport) -> Walk:
        reader, export = self._reader(held), held.export
        places = places_of(reader.profile.columns, export.options.columns)
        columns = [reader.profile.columns[place] for place in places]
        walk = Walk(
            reader=reader,
            ask=Ask(reader.profile, self._user(reader, held), self.page_size, chosen_of(export)),
            base_url=self.source.base_url,
            pieces=file_format(export.options.format).pieces(export.options, columns),
            places=places,
            files=self.files,
        )
        walk.remember(held.export)
        return walk

    def _user(self, reader: Reader, held: HeldExport) -> User:
        """Find out once who the user is in the API."""
        export = held.export
        if reader.profile.user is None or export.member_id is not None:
            return User(export.member_id or export.user_id, export.email)
        user = self.find_user(reader, User(export.user_id, export.email))
        held.write_with_next(known_there_as, user.id)
        return user

    def _reader(self, held: HeldExport) -> Reader:
        """Choose the profile before the first page, and stay with it."""
        export = held.export
        if export.profile is None and export.progress == Progress():
            held.write_with_next(goes_by, self._freeze(export))
        try:
            return self.profiles.of(held.export)
        except FileMissing as error:
            log.warning("export=%s event=walk_again reason=%s", export.export_id, error.reason)
            held.write(by_another_profile, self._freeze(export))
            return self.profiles.of(held.export)

    def _freeze(self, export: Export) -> str | None:
        """Stay with the profile in force, if it has what was chosen. Raises ColumnsGone and FilterGone."""
        profile = self.profiles.in_force.profile
        places_of(profile.columns, export.options.columns)
        params_for(profile, chosen_of(export))
        return self.profiles.freeze(export.export_id)

    def _fetch_page(self, walk: Walk, ahead: OneAhead, held: HeldExport) -> None:
        """Take the next page. The one behind it is asked for before this one is worked on."""
        export = held.export
        check_time(export, held.clock(), held.policy)
        if export.progress.pages == 0:
            self.canary(walk.reader, walk.ask)
        page, at = walk.reader.read(ahead.answer(export.progress)), held.clock()
        step = walk.placed(export, page, at)
        check_size(step.progress, held.policy)
        ahead.ask(step.progress)
        part = walk.part(page, step, at)  # nothing is stored before it is checked
        if self.hands_on and export.progress.pages == 0 and part.progress.grade:
            held.keep_in_hand(part)
        else:
            held.write(page_fetched, progress=self._stored(walk, part, held))

    def _stored(self, walk: Walk, part: Part, held: HeldExport) -> Progress:
        """Store a page; the one of another worker counts, if that was faster."""
        export, key = held.export, next_key(held.export)
        if self.files.put_once(key, as_part(key, part)):
            return part.progress
        walk.remember(export)
        stored = walk.stored_page(export)
        if stored is None:
            reason = f"Page {export.progress.pages + 1} was stored by another worker and then deleted."
            raise FileMissing(reason)
        return stored

    def _start_over(self, held: HeldExport, error: RowsMoved | PlaceForgotten) -> None:
        export = held.export
        if export.progress.restarts >= RESTARTS:
            raise error
        log.warning(
            "export=%s walk=%d event=walk_again reason=%s", export.export_id, export.progress.walk, error.reason
        )
        held.write(walk_again)


def chosen_of(export: Export) -> dict[str, str]:
    """Return the filters of an export by name."""
    return {chosen.name: chosen.value for chosen in export.options.filters}
