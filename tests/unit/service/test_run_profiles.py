"""Exports from APIs of any shape: each way of paging, what moves meanwhile, and a profile that changes."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import chain, repeat
from urllib.parse import parse_qsl

import msgspec
import pytest

from memberships_export.adapters.texts.locale_forms import moment
from memberships_export.domain.errors import PlaceForgotten
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.formats.options import FilterValue, Options
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.profile import KnownProfile
from tests.factories import REQUESTED_AT
from tests.fakes.shelf import PAGINATORS, Shelf, profile, shelf_rows
from tests.fakes.world import World, attachment
from tests.readers import a_reader, readers

PAGED = sorted(PAGINATORS.keys() - {"single_page"})
MOVING = ["header_link", "json_link", "offset", "page_number"]
GO_ON_ONCE, STOP = [False], True
NAMED_BY_THE_API = ["cursor", "header_link", "json_link"]


def exported(shelf: Shelf, text: str, size: int = 3) -> tuple[World, Export]:
    world = World(source=shelf, current=a_reader(text), page_size=size)
    export = world.request("anna")
    world.work()
    return world, world.export(export)


def ids(world: World) -> list[str]:
    (mail,) = world.mails
    return [row[0] for row in csv.reader(io.StringIO(attachment(mail).decode("utf-8-sig")))][1:]


def all_ids(shelf: Shelf) -> list[str]:
    return [row["id"] for row in shelf.rows]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 9])
@pytest.mark.parametrize("kind", sorted(PAGINATORS))
def test_every_way_of_paging_brings_every_row_once(kind: str, count: int) -> None:
    shelf = Shelf(shelf_rows(count))
    world, done = exported(shelf, profile(kind))
    assert (done.status, done.progress.grade) == (ExportStatus.COMPLETED, Grade.COUNTED)
    assert ids(world) == all_ids(shelf)


@pytest.mark.parametrize("kind", PAGED)
def test_an_api_that_sends_fewer_rows_than_asked_for_loses_none(kind: str) -> None:
    shelf = Shelf(shelf_rows(7), cap=2)
    world, _ = exported(shelf, profile(kind))
    assert ids(world) == all_ids(shelf)


@pytest.mark.parametrize("size,cap", [(1, 9), (3, 1)])
@pytest.mark.parametrize("total", ["", 'path = "total"'])
@pytest.mark.parametrize("kind", PAGED)
def test_pages_of_one_row_bring_every_row_once(kind: str, total: str, size: int, cap: int) -> None:
    shelf = Shelf(shelf_rows(4), cap=cap)
    world, done = exported(shelf, profile(kind, total=total), size)
    assert ids(world) == all_ids(shelf)
    assert bool(done.progress.moved_between) is (kind in MOVING and not total), (
        "nothing would have shown that they moved"
    )


@pytest.mark.parametrize("kind", PAGED)
def test_without_a_total_the_grade_says_how_the_end_was_known(kind: str) -> None:
    world, done = exported(Shelf(shelf_rows(7)), profile(kind, total=""))
    guessed = kind in {"offset", "page_number"}
    assert done.progress.grade is (Grade.GUESSED if guessed else Grade.ENDED)
    assert len(ids(world)) == 7
    assert ("does not say when it is done" in world.mails[0].text) is guessed


def test_under_page_numbers_without_a_total_the_mail_tells_what_may_be_missing() -> None:
    world, done = exported(Shelf(shelf_rows(7)), profile("page_number", total=""))
    assert done.progress.moved_between
    noon = moment(REQUESTED_AT, "en", "UTC")
    assert f"Changes made between {noon} and {noon} may be missing." in world.mails[0].text


@pytest.mark.parametrize("kind", ["offset", "page_number"])
def test_a_short_page_is_the_end_only_if_the_profile_says_so(kind: str) -> None:
    shelf = Shelf(shelf_rows(7), cap=2)
    world, done = exported(shelf, profile(kind, total="", paging="size = 3\nshort_page_is_last = true"))
    assert len(ids(world)) == 2
    assert done.progress.grade is Grade.GUESSED


@pytest.mark.parametrize("kind", MOVING)
def test_a_row_that_is_deleted_between_two_pages_lets_the_walk_start_over(kind: str) -> None:
    shelf = Shelf(shelf_rows(7))
    shelf.before[2] = lambda: shelf.rows.pop(0)
    world, done = exported(shelf, profile(kind))
    assert (done.progress.walk, done.progress.restarts, done.progress.grade) == (1, 1, Grade.COUNTED)
    assert ids(world) == all_ids(shelf)


@pytest.mark.parametrize("kind", ["header_link", "json_link", "offset"])
def test_a_row_that_is_inserted_is_noticed_also_without_a_total(kind: str) -> None:
    shelf = Shelf(shelf_rows(7))
    shelf.before[2] = lambda: shelf.rows.insert(0, {"id": "m-new", "name": "New", "user": "anna"})
    world, done = exported(shelf, profile(kind, total=""))
    assert done.progress.walk == 1
    assert ids(world) == all_ids(shelf)


@pytest.mark.parametrize("kind", MOVING)
def test_rows_that_never_stand_still_end_in_a_failure_or_in_a_word_of_warning(kind: str) -> None:
    shelf = Shelf(shelf_rows(7))
    for call in range(2, 40):
        shelf.before[call] = lambda: shelf.rows.append({"id": f"n-{len(shelf.rows)}", "name": "New", "user": "anna"})
    world, done = exported(shelf, profile(kind))
    assert done.progress.restarts == 3
    assert done.status is ExportStatus.COMPLETED
    assert (done.progress.grade, bool(done.progress.moved_between)) == (Grade.GUESSED, True)
    assert len(ids(world)) == len(set(ids(world)))
    assert "may be missing" in world.mails[0].text


def test_the_word_of_warning_is_for_all_the_time_that_the_walk_took() -> None:
    shelf = Shelf(shelf_rows(7))
    world = World(source=shelf, current=a_reader(profile("page_number")), page_size=3)
    for call in range(2, 9):
        shelf.before[call] = lambda: shelf.rows.append({"id": f"n-{len(shelf.rows)}", "name": "New", "user": "anna"})
    shelf.before[9] = lambda: world.clock.advance(timedelta(seconds=9))  # nothing more can be seen to move
    export = world.request("anna")
    world.work()
    began = export.requested_at
    assert world.export(export).progress.moved_between == (began, began + timedelta(seconds=9))


@pytest.mark.parametrize("kind", PAGED)
def test_a_row_that_comes_twice_is_never_mailed(kind: str) -> None:
    shelf = Shelf([*shelf_rows(6), shelf_rows(1)[0]])
    world, done = exported(shelf, profile(kind, total=""))
    assert done.status is ExportStatus.FAILED
    assert done.failure
    assert "lost or damaged" not in done.failure.reason, "it was walked again for another reason"
    assert done.file is None
    assert not [mail for mail in world.mails if mail.attachment]


@pytest.mark.parametrize("kind", NAMED_BY_THE_API)
def test_pages_that_go_in_circles_end(kind: str) -> None:
    class Circle(Shelf):
        def _range(self, query: Mapping[str, str]) -> tuple[int, int]:
            start, end = super()._range(query)
            return (start % 4, min(end, 4)) if start else (start, end)

    _, done = exported(Circle(shelf_rows(7)), profile(kind, total=""))
    assert done.status is ExportStatus.FAILED
    assert len(done.progress.cursor or "") < 100


@pytest.mark.parametrize("kind", NAMED_BY_THE_API)
@pytest.mark.parametrize(
    "times,status", [(1, ExportStatus.COMPLETED), (3, ExportStatus.COMPLETED), (4, ExportStatus.FAILED)]
)
def test_a_place_that_the_api_forgets_starts_the_walk_over_three_times(
    kind: str, times: int, status: ExportStatus
) -> None:
    left = [times]

    class Forgetful(Shelf):
        def fetch(self, call: Call, profile: KnownProfile) -> Answer:
            if not call.first and left[0]:
                left[0] -= 1
                raise PlaceForgotten
            return super().fetch(call, profile)

    _, done = exported(Forgetful(shelf_rows(7)), profile(kind))
    assert done.status is status
    assert done.progress.restarts == min(times, 3)


@pytest.mark.parametrize("kind", PAGED)
def test_whoever_takes_over_goes_on_at_the_same_page_and_still_finds_a_row_that_came_before(kind: str) -> None:
    shelf = Shelf(shelf_rows(7))
    world = World(source=shelf, current=a_reader(profile(kind)), page_size=3)
    export = world.request("anna")
    world.work_once(should_stop=iter([False, True]).__next__)
    assert (len(shelf.calls), world.export(export).progress.pages) == (2, 1), "one page was under way"
    world.work()
    assert world.export(export).progress.walk == 0
    assert ids(world) == all_ids(shelf)

    twice = Shelf([*shelf_rows(6), shelf_rows(1)[0]])
    world = World(source=twice, current=a_reader(profile(kind, total="")), page_size=3)
    export = world.request("anna")
    for _ in range(30):
        world.work_once(should_stop=chain(GO_ON_ONCE, repeat(STOP)).__next__)
    assert world.export(export).status is ExportStatus.FAILED


def test_an_export_stays_with_the_profile_it_began_with() -> None:
    shelf = Shelf(shelf_rows(7))
    world = World(source=shelf, current=a_reader(profile("cursor")), page_size=3)
    export = world.request("anna")
    world.work_once(should_stop=iter([False, True]).__next__)
    other = a_reader(profile("cursor").replace('{ name = "name" }', '{ name = "plan", path = "name" }'))
    world.services = world.over(replace(world.ports, readers=readers(other)))
    world.work()
    assert world.export(export).profile != other.known.fingerprint
    assert attachment(world.mails[0]).splitlines()[0] == b'\xef\xbb\xbf"id","name"'
    later = world.request("anna")
    world.work()
    assert world.export(later).profile == other.known.fingerprint
    assert attachment(world.mails[1]).splitlines()[0] == b'\xef\xbb\xbf"id","plan"'


def test_when_the_text_of_its_profile_is_gone_the_export_begins_anew_by_the_one_in_force() -> None:
    shelf = Shelf(shelf_rows(7))
    world = World(source=shelf, current=a_reader(profile("cursor")), page_size=3)
    export = world.request("anna")
    world.work_once(should_stop=iter([False, True]).__next__)
    other = a_reader(profile("cursor").replace('{ name = "name" }', '{ name = "plan", path = "name" }'))
    world.services = world.over(replace(world.ports, readers=readers(other)))
    world.files.content.clear()
    world.work()
    done = world.export(export)
    assert (done.status, done.profile, done.progress.walk) == (ExportStatus.COMPLETED, other.known.fingerprint, 1)
    assert ids(world) == all_ids(shelf)


@pytest.mark.parametrize("keeps", [lambda text: text[:0], lambda text: text[:-9], lambda text: text + "é".encode()[:1]])
def test_a_text_of_its_profile_that_was_cut_short_is_not_believed(keeps: Callable[[bytes], bytes]) -> None:
    shelf = Shelf(shelf_rows(7))
    world = World(source=shelf, current=a_reader(profile("cursor")), page_size=3)
    export = world.request("anna")
    world.work_once(should_stop=iter([False, True]).__next__)
    other = a_reader(profile("cursor").replace('{ name = "name" }', '{ name = "plan", path = "name" }'))
    world.services = world.over(replace(world.ports, readers=readers(other)))
    (key,) = (key for key in world.files.content if key.endswith(".toml"))
    world.files.content[key] = keeps(world.files.content[key])
    world.work()
    done = world.export(export)
    assert (done.status, done.profile, done.progress.walk) == (ExportStatus.COMPLETED, other.known.fingerprint, 1)
    assert ids(world) == all_ids(shelf)


FILTER = '\n[filters.state]\nparam = "state"\nvalues = { active = "1" }\n'
ACTIVE = Options(filters=(FilterValue("state", "active"),))
WISHES = {
    "columns_gone": (Options(columns=("plan", "id")), '{ name = "name" }', '{ name = "plan", path = "name" }'),
    "filter_gone": (ACTIVE, "[rows]", f"{FILTER}[rows]"),
}
each_wish = pytest.mark.parametrize("code", WISHES)


def the_former_and_the_other(code: str) -> tuple[str, str]:
    """Return a profile that has what was chosen, and one that does not have it."""
    _, old, new = WISHES[code]
    return profile("cursor").replace(old, new), profile("cursor")


@each_wish
def test_what_the_profile_does_not_have_any_more_fails_the_export_before_anything_is_asked_for(code: str) -> None:
    shelf = Shelf(shelf_rows(7))
    former, other = the_former_and_the_other(code)
    world = World(source=shelf, current=a_reader(former), page_size=3)
    export = world.request("anna", WISHES[code][0])
    world.services = world.over(replace(world.ports, readers=readers(a_reader(other))))
    world.work()
    done = world.export(export)
    assert (done.status, done.failure and done.failure.code) == (ExportStatus.FAILED, code)
    assert (shelf.calls, done.profile) == ([], None), "nothing is asked for, and no profile is kept without it"


@each_wish
def test_when_the_profile_has_it_again_a_redrive_goes_on(code: str) -> None:
    shelf = Shelf(shelf_rows(7))
    former, other = the_former_and_the_other(code)
    world = World(source=shelf, current=a_reader(former), page_size=3)
    export = world.request("anna", WISHES[code][0])
    world.services = world.over(replace(world.ports, readers=readers(a_reader(other))))
    world.work()
    world.services = world.over(replace(world.ports, readers=readers(a_reader(former))))
    desk = world.services.redrive
    assert len(list(desk.redrive(desk.letters(), dry_run=False))) == 1
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED


@each_wish
def test_a_profile_that_changes_later_does_not_matter_to_an_export_that_began(code: str) -> None:
    shelf = Shelf(shelf_rows(7))
    former, other = the_former_and_the_other(code)
    world = World(source=shelf, current=a_reader(former), page_size=3)
    export = world.request("anna", WISHES[code][0])
    world.work_once(should_stop=iter([False, True]).__next__)
    world.services = world.over(replace(world.ports, readers=readers(a_reader(other))))
    world.work()
    assert world.export(export).status is ExportStatus.COMPLETED
    wanted = ["1"] * 4 if code == "filter_gone" else [None] * 4  # a page was under way when the first worker stopped
    assert [dict(parse_qsl(call.query)).get("state") for call in shelf.calls] == wanted


@each_wish
def test_when_the_text_of_its_profile_is_gone_the_one_in_force_must_have_it(code: str) -> None:
    shelf = Shelf(shelf_rows(7))
    former, other = the_former_and_the_other(code)
    world = World(source=shelf, current=a_reader(former), page_size=3)
    export = world.request("anna", WISHES[code][0])
    world.work_once(should_stop=iter([False, True]).__next__)
    world.services = world.over(replace(world.ports, readers=readers(a_reader(other))))
    world.files.content.clear()
    asked = len(shelf.calls)
    world.work()
    done = world.export(export)
    assert (done.status, done.failure and done.failure.code) == (ExportStatus.FAILED, code)
    assert len(shelf.calls) == asked


def test_a_value_of_a_filter_that_is_gone_fails_the_export_too() -> None:
    shelf = Shelf(shelf_rows(7))
    world = World(source=shelf, current=a_reader(profile("cursor") + FILTER), page_size=3)
    export = world.request("anna", ACTIVE)
    other = a_reader(profile("cursor") + FILTER.replace("active", "paused"))
    world.services = world.over(replace(world.ports, readers=readers(other)))
    world.work()
    failure = world.export(export).failure
    assert failure is not None
    assert (failure.code, shelf.calls) == ("filter_gone", [])
    assert failure.reason == "The filter state of the profile has no value active any more: ask for a new export."


def test_columns_of_our_own_contract_are_looked_for_too() -> None:
    shelf = Shelf(shelf_rows(7))
    world = World(source=shelf, current=a_reader(the_former_and_the_other("columns_gone")[0]))
    export = world.request("anna", Options(columns=("plan",)))
    world.services = world.over(replace(world.ports, readers=readers()))
    world.work()
    failure = world.export(export).failure
    assert failure is not None
    assert (failure.code, shelf.calls) == ("columns_gone", [])


def test_an_export_of_our_own_contract_has_no_profile_to_keep() -> None:
    world = World(7)
    export = world.request()
    world.work()
    assert world.export(export).profile is None
    assert not [key for key in world.files.content if key.endswith(".toml")]


@pytest.mark.parametrize("kind", ["single_page", "cursor"])
def test_where_rows_name_no_owner_a_user_that_cannot_exist_is_asked_for_once_a_day(kind: str) -> None:
    shelf = Shelf(shelf_rows(2))
    world = World(source=shelf, current=a_reader(profile(kind, rows="")), page_size=3)
    for _ in range(2):
        world.request("anna")
        world.work()
    assert [call.user_id.startswith("mx-") for call in shelf.calls] == [True, False, False]
    world.clock.advance(by=world.policy.keep_files)
    world.request("anna")
    world.work()
    assert [call.user_id.startswith("mx-") for call in shelf.calls[3:]] == [True, False]


def test_beside_a_filter_nobody_is_asked_for_each_time_with_it() -> None:
    shelf = Shelf(shelf_rows(2))
    world = World(source=shelf, current=a_reader(profile("cursor", rows="") + FILTER), page_size=3)
    for _ in range(2):
        world.request("anna", ACTIVE)
        world.work()
    asked = [(call.user_id.startswith("mx-"), "state=1" in call.query) for call in shelf.calls]
    assert asked == [(True, False), (True, True), (False, True), (True, True), (False, True)]


def test_an_api_that_forgets_the_user_beside_a_filter_is_not_believed() -> None:
    class Forgetful(Shelf):
        def fetch(self, call: Call, profile: KnownProfile) -> Answer:
            query = call.query.replace("mx-", "") if "state" in call.query else call.query
            return super().fetch(msgspec.structs.replace(call, query=query), profile)

    world = World(source=Forgetful(shelf_rows(2)), current=a_reader(profile("single_page", rows="") + FILTER))
    export = world.request("anna", ACTIVE)
    world.work()
    failure = world.export(export).failure
    assert failure is not None
    assert failure.code == "foreign_rows"


def test_an_api_that_has_rows_for_nobody_is_not_believed() -> None:
    class Unfiltered(Shelf):
        def fetch(self, call: Call, profile: KnownProfile) -> Answer:
            return super().fetch(msgspec.structs.replace(call, query=call.query.replace("mx-", "")), profile)

    world, done = exported(Unfiltered(shelf_rows(2)), profile("single_page", rows=""))
    assert done.failure
    assert done.failure.code == "foreign_rows"
    assert not [mail for mail in world.mails if mail.attachment]


S = ExportStatus
OWNERS = [
    (2000, "2000", S.COMPLETED), ("2000", "2000", S.COMPLETED), ("02000", "2000", S.FAILED), (2000, "02000", S.FAILED),
]  # fmt: skip


@pytest.mark.parametrize("owner,user,status", OWNERS)
def test_the_owner_of_a_row_may_be_a_number_and_must_be_the_user(
    owner: int | str, user: str, status: ExportStatus
) -> None:
    shelf = Shelf([{"id": "1", "name": "x", "user": owner}])
    world = World(source=shelf, current=a_reader(profile("single_page")), page_size=3)
    export = world.request(user)
    world.work()
    assert world.export(export).status is status


@pytest.mark.parametrize(
    "spoil,code",
    [
        (lambda shelf: setattr(shelf, "total", lambda: None), "memberships_contract_broken"),
        (lambda shelf: setattr(shelf, "total", lambda: len(shelf.rows) + 1), "row_count_mismatch"),
        (lambda shelf: setattr(shelf, "total", lambda: len(shelf.rows) - 1), "row_count_mismatch"),
        (lambda shelf: shelf.rows[1].update(user="ben"), "foreign_rows"),
        (lambda shelf: shelf.rows[1].pop("name"), "memberships_contract_broken"),
    ],
    ids=["no total", "total too high", "total too low", "another's row", "a column missing"],
)
@pytest.mark.parametrize("kind", ["cursor", "header_link", "json_link", "last_key", "single_page"])
def test_what_cannot_be_believed_fails_with_its_code(kind: str, spoil: Callable[[Shelf], None], code: str) -> None:
    shelf = Shelf(shelf_rows(4))
    spoil(shelf)
    world, done = exported(shelf, profile(kind))
    assert done.failure
    assert done.failure.code == code
    assert not [mail for mail in world.mails if mail.attachment]
