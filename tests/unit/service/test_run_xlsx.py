"""An export as XLSX, from the request to the mail."""

from datetime import datetime
from zoneinfo import ZoneInfo

from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.formats.options import Format, Options
from tests.fakes.world import REFUSED_FOR_NOW, World, attachment
from tests.unit.domain.xlsx_reading import by_openpyxl

BERLIN = Options(format=Format.XLSX, columns=("id", "name"), language="de", time_zone="Europe/Berlin")


def test_the_rows_are_mailed_as_xlsx_in_the_language_and_the_zone_of_the_member() -> None:
    world = World(7)
    export = world.request(options=BERLIN)
    world.work()

    done = world.export(export)
    assert done.file is not None
    assert (done.status, done.file.name[-5:]) == (ExportStatus.COMPLETED, ".xlsx")
    rows, about = (by_openpyxl(attachment(world.mails[-1]), sheet) for sheet in (0, 1))
    assert [len(row) for row in rows] == [2] * 8
    assert [row[0] for row in rows[1:]] == sorted(row[0] for row in rows[1:])
    requested = export.requested_at.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None, microsecond=0)
    values = [row[1] for row in about]
    assert (requested in values, 7 in values, "Europe/Berlin" in values) == (True, True, True)
    assert isinstance(values[0], datetime)


def test_a_file_that_is_made_again_is_the_same() -> None:
    world = World(7, mails=[REFUSED_FOR_NOW])
    export = world.request(options=BERLIN)
    world.work()
    first = world.export(export).file
    for key in [key for key in world.files.content if key.endswith(".xlsx")]:
        del world.files.content[key]
    world.pass_time()

    again = world.export(export)
    assert (again.status, first is not None, again.file is not None) == (ExportStatus.COMPLETED, True, True)
    assert first
    assert again.file
    assert (again.file.sha256, again.file.bytes) == (first.sha256, first.bytes)
