"""What can come between the pages and the finished file."""

from datetime import timedelta

from msgspec import structs

from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.formats.file_format import Piece
from memberships_export.domain.formats.part import as_part, read_part
from tests.fakes.memory import MemoryFiles
from tests.fakes.world import REFUSED_FOR_NOW, World, attachment


def test_when_a_part_is_lost_the_walk_starts_over_and_takes_up_nothing_of_the_old_one() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    lost = max(key for key in world.files.content if key.startswith("parts/"))
    del world.files.content[lost]
    for key in [key for key in world.files.content if key.startswith("csv/")]:
        del world.files.content[key]
    world.source.calls.clear()
    world.pass_time()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert (waiting.status, waiting.trouble.code) == (ExportStatus.WAITING, "file_missing"), "two losses in a row"
    world.pass_time()
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [call.cursor for call in world.source.calls] == [None, "3:7", "6:7"]


class FilesThatVanish(MemoryFiles):
    """Keeps no CSV for as long as it takes to read it."""

    def __init__(self) -> None:
        super().__init__()
        self.rendered = 0

    def read(self, key: str) -> bytes | None:
        if not key.startswith("csv/"):
            return super().read(key)
        self.rendered += 1
        return None


def test_a_file_that_vanishes_each_time_is_made_ever_less_often_and_in_the_end_given_up() -> None:
    world = World()
    files = world.files = FilesThatVanish()
    world.services = world.over(world.ports)
    export = world.request()
    world.work()
    assert files.rendered == 2, "once more at once, then it waits"
    world.pass_time(timedelta(minutes=1), steps=25 * 60)
    failed = world.export(export)
    assert failed.failure is not None
    assert failed.failure.code == "gave_up_waiting"
    assert "A stored file of the export is not there" in failed.failure.reason
    assert files.rendered < 200


def test_a_file_that_was_missing_is_forgotten_once_it_is_read() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW, REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    for key in [key for key in world.files.content if key.startswith("csv/")]:
        del world.files.content[key]
    world.pass_time()
    waiting = world.export(export)
    assert waiting.trouble is not None
    assert (waiting.trouble.code, waiting.trouble.count) == ("mail_refused_for_now", 1)


def test_a_lost_file_is_rendered_again_before_it_is_mailed() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    for key in [key for key in world.files.content if key.startswith("csv/")]:
        del world.files.content[key]
    world.pass_time()
    done = world.export(export)
    assert done.status is ExportStatus.COMPLETED
    assert attachment(world.mails[-1]).count(b"\r\n") == 8


def test_a_row_that_is_missing_in_the_parts_is_noticed_and_they_are_fetched_anew() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW])
    export = world.request()
    world.work()
    for key, content in list(world.files.content.items()):
        if key.startswith("csv/"):
            del world.files.content[key]
        elif "/0-000002-" in key:
            emptied = structs.replace(read_part(key, content), piece=Piece(rows=0, content=b""))
            world.files.content[key] = as_part(key, emptied)
    world.pass_time(steps=2)
    assert world.export(export).status is ExportStatus.COMPLETED
    assert [attachment(mail).count(b"\r\n") for mail in world.mails] == [8, 8], "the first was refused"
