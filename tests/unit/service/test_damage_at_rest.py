"""Files that are not what was stored: what is mailed is right, or nothing is mailed."""

import csv
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from hashlib import sha256
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.domain.errors import FileGone, MembershipsContractBroken, MembershipsRefused
from memberships_export.domain.export.record import Export, ExportStatus, Stage
from memberships_export.domain.messages.wake import wake_message
from memberships_export.service.file_keys import part_key
from tests.factories import a_membership
from tests.fakes.damage import DAMAGES, Damage
from tests.fakes.memory import MemoryFiles, PageCall
from tests.fakes.world import LINKS, REFUSED_FOR_NOW, World, attachment
from tests.readers import a_part

ROWS = [a_membership(n + 1, name=f"Plan {n + 1}") for n in range(7)]
each_damage = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


def spoil(world: World, folder: str, damage: Damage, which: slice = slice(None)) -> None:
    for key in sorted(key for key in world.files.content if key.startswith(folder))[which]:
        world.files.content[key] = damage(world.files.content[key])


def names_in(content: bytes) -> list[str]:
    return [row["Name"] for row in csv.DictReader(StringIO(content.decode("utf-8-sig")))]


def assert_mailed_rightly(world: World, export: Export) -> None:
    """The mail names the hash of what is attached, and that is what the API has."""
    done = world.export(export)
    assert (done.status, done.file is not None) == (ExportStatus.COMPLETED, True)
    assert done.file is not None
    assert {sha256(attachment(mail)).hexdigest() for mail in world.mails} == {done.file.sha256}
    assert all(done.file.sha256 in mail.text for mail in world.mails)
    assert names_in(attachment(world.mails[-1])) == [row["name"] for row in world.source.rows]


def stopped_at_render(world: World) -> Export:
    export = world.request()
    world.work_once(should_stop=iter([False, False, False, True]).__next__)
    assert world.export(export).stage is Stage.RENDER
    return export


def waiting_to_be_mailed(world: World) -> Export:
    world.mailer.script = [REFUSED_FOR_NOW]
    export = world.request()
    world.work()
    assert world.export(export).status is ExportStatus.WAITING
    return export


@each_damage
@pytest.mark.parametrize("part", range(3))
def test_a_part_that_was_damaged_is_fetched_again_at_once(damage: Damage, part: int) -> None:
    world = World(ROWS)
    export = stopped_at_render(world)
    spoil(world, "parts/", damage, slice(part, part + 1))
    world.source.calls.clear()
    world.work()
    assert_mailed_rightly(world, export)
    assert [call.cursor for call in world.source.calls] == [None, "3:7", "6:7"], "no page of the old walk is met"


@each_damage
def test_a_part_that_was_damaged_before_its_checkpoint_is_not_taken_up(damage: Damage) -> None:
    world = World(ROWS)
    export = world.request()
    world.work_once(should_stop=iter([False, True]).__next__)
    files = world.files.content
    page = world.source.page(PageCall("user-1", "3:7", 3))
    key = part_key(export, 1, "3:7")
    files[key] = damage(page)
    world.work()
    assert_mailed_rightly(world, export)
    assert world.export(export).progress.walk == 1


def test_a_page_that_does_not_go_with_those_before_it_is_not_the_fault_of_the_api() -> None:
    world = World(ROWS)
    export = world.request()
    world.work_once(should_stop=iter([False, True]).__next__)
    key = part_key(export, 1, "3:7")
    world.files.content[key] = a_part(key, world.source.page(PageCall("user-1", None, 3)))
    world.work()
    assert_mailed_rightly(world, export)


@pytest.mark.parametrize("which", ["another export's", "another page"])
def test_another_part_copied_over_a_part_is_noticed(which: str) -> None:
    world = World(ROWS)
    other = world.request()
    world.work()
    world.mailer.mails.clear()
    world.source.rows = [{**row, "name": f"{row['name']} now"} for row in world.source.rows]
    export = stopped_at_render(world)
    source = (other, 1, "3:7") if which == "another export's" else (export, 2, "6:7")
    copied = part_key(*source)
    world.files.content[part_key(export, 1, "3:7")] = world.files.content[copied]
    world.work()
    assert_mailed_rightly(world, export)


def test_a_part_as_older_versions_stored_it_is_fetched_again_and_the_api_is_not_blamed() -> None:
    world = World(ROWS)
    export = stopped_at_render(world)
    for key in list(world.files.content):
        old = key.replace("/0-", "/").replace(".part", ".json")
        world.files.content[old] = world.files.content.pop(key).partition(b"\n")[2]
    world.work()
    assert_mailed_rightly(world, export)


@each_damage
def test_a_damaged_file_is_rendered_again_before_it_is_mailed(damage: Damage) -> None:
    world = World(ROWS)
    export = waiting_to_be_mailed(world)
    old = world.export(export).file
    spoil(world, "csv/", damage)
    world.source.calls.clear()
    world.pass_time()
    assert_mailed_rightly(world, export)
    new = world.export(export).file
    assert old
    assert new
    assert (new.sha256, new.key == old.key) == (old.sha256, False), "the same rows under another key"
    assert world.source.calls == []


@each_damage
def test_a_damaged_file_is_rendered_again_before_a_link_to_it_is_mailed(damage: Damage) -> None:
    world = World(ROWS, attachment_limit=10)
    export = waiting_to_be_mailed(world)
    spoil(world, "csv/", damage)
    world.pass_time()
    done = world.export(export)
    assert done.status is ExportStatus.COMPLETED
    answer = world.services.read.file_by_link(done.export_id, LINKS.url(done).rsplit("/", 1)[1])
    content = b"".join(answer.chunks)
    assert sha256(content).hexdigest() == answer.file.sha256
    assert answer.file.sha256 in world.mails[-1].text


def test_an_older_file_of_the_same_length_is_not_mailed() -> None:
    world = World(ROWS)
    older = world.request()
    world.work()
    world.source.rows = [{**row, "name": row["name"].replace("Plan", "Flat")} for row in world.source.rows]
    export = waiting_to_be_mailed(world)
    file, old = world.export(export).file, world.export(older).file
    assert file
    assert old
    assert file.bytes == old.bytes
    world.files.content[file.key] = world.files.content[old.key]
    world.mailer.mails.clear()
    world.pass_time()
    assert_mailed_rightly(world, export)


@each_damage
def test_a_damaged_file_is_not_given_out_and_sending_it_again_makes_it_anew(
    damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(ROWS)
    export = world.request()
    world.work()
    spoil(world, "csv/", damage)
    token = LINKS.url(world.export(export)).rsplit("/", 1)[1]
    read = world.services.read
    opens: Sequence[Callable[[], object]] = (
        lambda: read.file(export.export_id, "user-1"),
        lambda: read.file_by_link(export.export_id, token),
    )
    for opening in opens:
        with pytest.raises(FileGone, match="sent again"):
            opening()
    assert "event=damaged" in caplog.text
    world.services.resend(export.export_id, "user-1", "member@example.org")
    world.work()
    assert_mailed_rightly(world, export)
    assert b"".join(read.file(export.export_id, "user-1").chunks) == attachment(world.mails[-1])


def test_when_file_and_parts_are_damaged_both_are_made_anew() -> None:
    world = World(ROWS)
    export = waiting_to_be_mailed(world)
    spoil(world, "", DAMAGES["cut in half"])
    world.pass_time(steps=2)
    assert_mailed_rightly(world, export)


def test_what_was_found_is_told_in_the_log_and_names_no_person(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    world = World(ROWS)
    export = stopped_at_render(world)
    spoil(world, "parts/", DAMAGES["last byte"], slice(1, 2))
    key = part_key(export, 1, "3:7")
    world.work()
    [line] = [record.getMessage() for record in caplog.records if "event=damaged" in record.getMessage()]
    assert line.startswith(f"export={export.export_id} key={key} event=damaged reason=The stored file {key} is damaged")


class FilesThatRot(MemoryFiles):
    """Damages whatever is stored under a folder."""

    rotting = "parts/"

    def read(self, key: str) -> bytes | None:
        content = super().read(key)
        return DAMAGES["last byte"](content) if content and key.startswith(self.rotting) else content


@pytest.mark.parametrize("folder", ["parts/", "csv/"])
def test_files_that_are_damaged_each_time_are_made_ever_less_often_and_in_the_end_given_up(folder: str) -> None:
    world = World(ROWS)
    files = world.files = FilesThatRot()
    files.rotting = folder
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    world.pass_time(timedelta(minutes=1), steps=25 * 60)
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == "gave_up_waiting"
    assert "is damaged" in failed.failure.reason
    assert len([key for key in files.content if key.startswith("csv/")]) < 200
    assert world.mails == []

    files.rotting = "nothing"
    world.dead_letters.letters.clear()
    world.dead_letters.add(wake_message(failed))
    list(world.services.redrive.redrive(world.services.redrive.letters(), dry_run=False))
    world.work()
    assert_mailed_rightly(world, export)


@pytest.mark.parametrize("error", [MembershipsContractBroken("It is closed."), MembershipsRefused("It is closed.")])
@pytest.mark.parametrize("gone", [True, False])
def test_what_cannot_be_made_anew_fails_with_a_reason_that_says_so(error: Exception, *, gone: bool) -> None:
    world = World(ROWS)
    export = stopped_at_render(world)
    if gone:
        world.files.content.clear()
    else:
        spoil(world, "parts/", DAMAGES["empty"])
    world.source.before = dict.fromkeys(range(4, 1000), error)
    world.work()
    world.pass_time(timedelta(minutes=5), steps=30)
    failed = world.export(export)
    assert failed.failure is not None
    assert "It is closed. The memberships had to be fetched anew" in failed.failure.reason
    assert "pages stored before were lost or damaged" in failed.failure.reason
    assert world.mails == []


damages = st.sampled_from(list(DAMAGES.values()))


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 9), damages), max_size=4), st.booleans())
def test_whatever_is_damaged_when_either_the_mail_is_right_or_there_is_none(
    hits: list[tuple[int, int, Damage]],
    refused: bool,  # noqa: FBT001  (given by hypothesis)
) -> None:
    world = World(ROWS, mails=[REFUSED_FOR_NOW] if refused else [])
    export = world.request()

    def strikes() -> Callable[[], bool]:
        """Damage files between the steps of a worker: it asks before each whether to stop."""
        moment = 0

        def should_stop() -> bool:
            nonlocal moment
            moment += 1
            for when, which, damage in hits:
                if when == moment:
                    spoil(world, "", damage, slice(which, which + 1))
            return False

        return should_stop

    between = strikes()
    for _ in range(6):
        while world.work_once(should_stop=between):
            pass
        world.clock.advance(timedelta(minutes=20))
        world.services.sweep()
    assert_mailed_rightly(world, export)
