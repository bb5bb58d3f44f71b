"""The life of exports by profiles of other shapes, while rows come and go and profiles change in mid-run."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import pairwise
from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from memberships_export.domain.errors import ColumnsGone, FileMissing
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.formats.options import Options
from memberships_export.domain.formats.part import Part
from memberships_export.domain.source.completeness import RESTARTS
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Reader
from memberships_export.service.file_keys import profile_key
from memberships_export.service.worker.stored_pages import stored_parts
from tests.factories import a_membership
from tests.fakes.shelf import profile
from tests.life.crashing import Moments
from tests.life.kinds_of_files import OPTIONS, rows_in
from tests.life.moving_rows import MOST_ROWS, MovingSource
from tests.life.test_life_of_an_export import ANSWERS, ROWS, USERS, LifeOfExports, WatchedStore
from tests.readers import a_reader, own_reader, readers

WALKED_TOO_OFTEN = {"row_count_mismatch", "memberships_contract_broken"}
ANOTHER_PROFILE = {ColumnsGone.code}
WHICH = st.sampled_from([0, 0, 1, 1, 2])
Change = tuple[int, int, bool]
# Its profile, and at which moment it dies.
WORKERS = st.lists(st.tuples(WHICH, st.integers(1, 40)), min_size=2, max_size=4)
# Before which of the calls to come (0: now), at which place, whether a row comes or goes.
CHANGES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, MOST_ROWS), st.booleans()), min_size=1, max_size=4)


@cache
def profiles(text: str) -> list[Reader]:
    """A profile, the same one with another name for a column, and our own contract."""
    return [a_reader(text), a_reader(text.replace('name = "name"', 'name = "plan", path = "name"')), own_reader()]


class StoreOfProfiles(WatchedStore):
    """Checks also that an export stays with its profile, and that its file is what the API held."""

    machine: "LifeByAProfile"

    def check_write(self, old: Export, new: Export) -> None:
        super().check_write(old, new)
        chosen = old.profile is not None or old.progress != Progress()
        gone = profile_key(old.export_id, old.profile or "none") not in self.machine.world.files.content
        assert new.profile == old.profile or not chosen or (old.profile and gone), "no profile changes in mid-run"
        assert new.progress.restarts <= RESTARTS
        if new.progress.walk > old.progress.walk:
            self.machine.note_a_new_walk(new)
        if new.file and new.file != old.file and not new.file.deleted:
            self.machine.check_file(new)


class LifeByAProfile(LifeOfExports):
    """`text`: the profile. What is done is what is done to all exports, and more that other shapes have to bear."""

    text: ClassVar[str]
    ends: ClassVar[set[str]] = LifeOfExports.ends | WALKED_TOO_OFTEN | ANOTHER_PROFILE
    source: MovingSource

    # --- What the world does ------------------------------------------------------------------------------------------

    def ask(self, user: str, options: Options) -> str:
        """Ask for all columns where the profile in force does not have those: they would be refused at once."""
        known = {column.name for column in self.world.readers.current.profile.columns}
        return super().ask(user, options if known.issuperset(options.columns) else replace(options, columns=()))

    @rule(user=st.sampled_from(USERS), changes=CHANGES)
    def rows_come_and_go(self, user: str, changes: Sequence[Change]) -> None:
        """Now, and before calls to come."""
        for change in changes:
            self.source.shelves[user].change_before_call(*change)

    @rule(target=LifeOfExports.exports, user=st.sampled_from(USERS), options=OPTIONS, changes=CHANGES, workers=WORKERS)
    def an_export_goes_from_worker_to_worker_while_rows_come_and_go(
        self, user: str, options: Options, changes: Sequence[Change], workers: Sequence[tuple[int, int]]
    ) -> str:
        """Each worker may have another profile, and dies sooner or later, or not at all."""
        self.source.down, self.service.answer = False, "accept"
        export_id = self.ask(user, options)
        self.rows_come_and_go(user, changes)
        for which, crash_at in workers:
            self.come_into_force(which)
            self.mortal(Moments(crash_at))
            self.world.clock.advance(timedelta(minutes=2))
            self.world.services.sweep()
        return export_id

    @rule(which=WHICH)
    def another_profile_comes_into_force(self, which: int) -> None:
        self.come_into_force(which)

    @rule(pause_at=st.integers(1, 60), which=WHICH, answer=ANSWERS, crash_at=st.none() | st.integers(1, 60))
    def work_while_a_stale_worker_of_another_profile_stands_still(
        self, pause_at: int, which: int, answer: str, crash_at: int | None
    ) -> None:
        def meanwhile() -> None:
            self.come_into_force(which)
            self.world.clock.advance(timedelta(minutes=2))
            self.world.services.sweep()
            self.mortal(Moments(crash_at))

        self.service.answer = answer
        self.mortal(Moments(pause_at, meanwhile))

    # --- The promises, after every step -------------------------------------------------------------------------------

    @invariant()
    def every_mail_has_all_rows(self) -> None:
        """What is in a file is checked when it is made."""
        for mail in self.service.accepted:
            export = self.world.store.records.get(mail.export_id)
            if mail.attachment and export and export.file:
                assert len(rows_in(mail.attachment.content, export.options)) == export.file.rows + 1

    @invariant()
    def a_file_that_is_made_again_is_the_same(self) -> None:
        """Unless it is of another walk: what is in each is checked when it is made."""

    @invariant()
    def a_walk_is_given_up_after_the_last_restart_only(self) -> None:
        for export in self.records():
            if export.failure and export.failure.code in WALKED_TOO_OFTEN and export.status is ExportStatus.FAILED:
                assert export.progress.restarts == RESTARTS, export

    def check_file(self, export: Export) -> None:
        """Compare a file that was just made with what the API held while it was walked."""
        assert export.file is not None
        header, *rows = rows_in(self.world.files.content[export.file.key], export.options)
        ids = [str(row[0]) for row in rows]
        by = self.profile_of(export)
        names = [column.name for column in by.profile.columns]
        if rows:
            assert len(header) == len(export.options.columns or names)
        if rows and not export.options.for_people:
            assert header == list(export.options.columns or names)
        assert len(set(ids)) == len(ids) == export.file.rows, "no row twice"
        if by is own_reader():
            assert export.file.rows == ROWS
            return
        assert all(found.startswith(f"{export.user_id}-m-") for found in ids), "no row of another user"
        self.check_complete(export, ids)

    def check_complete(self, export: Export, ids: list[str]) -> None:
        sent, parts = self.source.shelves[export.user_id].sent, self.parts_of(export)
        lengths = [after - before for before, after in pairwise([0, *(part.progress.bytes for part in parts)])]
        times = [sent[length][0] for length in lengths or [export.progress.bytes]]
        assert {sent[length][1] for length in lengths or [export.progress.bytes]} == {export.profile}
        assert times == sorted(times), "a walk goes on"
        assert times[0] >= self.new_walks.get((export.export_id, export.progress.walk), 0), "no page of an old walk"
        held = self.source.shelves[export.user_id].versions[times[0] : times[-1] + 1]
        assert set(ids) <= set().union(*held), "no row that was not there"
        lost = set(held[0]).intersection(*held).difference(ids)
        if between := export.progress.moved_between:
            assert between[0] <= parts[0].at, "told for all the time of the walk"
            assert between[1] >= parts[-1].at, "told for all the time of the walk"
        assert not lost or self.may_be_missing(export, times), f"{lost} missing and not told: {export.progress}"
        if len(held) == 1:
            assert ids == held[0], "what stood still is there as it was"

    def parts_of(self, export: Export) -> list[Part]:
        """The stored pages; none of an export that has but one, which may go from hand to file."""
        try:
            return [part for _, part in stored_parts(self.world.files, export)]
        except FileMissing:
            assert export.progress.pages == 1
            return []

    def may_be_missing(self, export: Export, times: Sequence[int]) -> bool:
        """Whether the export says so, where anything changed."""
        return export.progress.moved_between is not None and len(set(times)) > 1

    # --- Tools --------------------------------------------------------------------------------------------------------

    def a_source(self) -> MovingSource:
        self.new_walks: dict[tuple[str, int], int] = {}
        own = [a_membership(n + 1, userId=user) for user in USERS for n in range(ROWS)]
        return MovingSource(own, USERS, ROWS)

    def a_store(self) -> WatchedStore:
        store = StoreOfProfiles(self.world.clock)
        store.machine = self
        self.world.store = store
        self.come_into_force(0)
        return store

    def come_into_force(self, which: int) -> None:
        self.world.readers = readers(profiles(self.text)[which])
        self.world.services = self.world.over(self.world.ports)

    def profile_of(self, export: Export) -> Reader:
        known = {reader.known.fingerprint: reader for reader in profiles(self.text)}
        return known[export.profile] if export.profile else own_reader()

    def note_a_new_walk(self, export: Export) -> None:
        shelf = self.source.shelves.get(export.user_id)
        self.new_walks[export.export_id, export.progress.walk] = shelf.version if shelf else 0


class LifeByPageNumber(LifeByAProfile):
    text = profile("page_number")

    def may_be_missing(self, export: Export, times: Sequence[int]) -> bool:
        """One row that goes and one that comes between two pages leave the total as it was: that cannot be seen."""
        versions = self.source.shelves[export.user_id].versions
        totals = [len(versions[time]) for time in sorted(set(times))]
        return super().may_be_missing(export, times) or len(set(totals)) == 1 < len(totals)


class LifeByOffset(LifeByAProfile):
    text = profile("offset", total="")


class LifeByJsonLink(LifeByAProfile):
    text = profile("json_link", total="")


class LifeByLastKey(LifeByAProfile):
    """Rows do not name their owner: a user that cannot exist is asked for first."""

    text = profile("last_key", total="", rows="")


SOME = settings(max_examples=30, stateful_step_count=40)
TestLifeByPageNumber = LifeByPageNumber.TestCase
TestLifeByPageNumber.settings = SOME
TestLifeByOffset = LifeByOffset.TestCase
TestLifeByOffset.settings = SOME
TestLifeByJsonLink = LifeByJsonLink.TestCase
TestLifeByJsonLink.settings = SOME
TestLifeByLastKey = LifeByLastKey.TestCase
TestLifeByLastKey.settings = SOME
