"""One export in every kind of file, from the request to the mail."""

import json

import pytest

from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.formats.formats import file_format
from memberships_export.domain.formats.options import Format, Options, Preset, of_preset
from tests.factories import a_membership
from tests.fakes.world import REFUSED_FOR_NOW, World, attachment

ROWS = [a_membership(number, name=name) for number, name in enumerate(["=1+1", "Gold", "-x", "a;@b", "5"], start=1)]
EVERY_KIND = [*(of_preset(preset) for preset in Preset), *(Options(format=form) for form in Format)]


@pytest.mark.parametrize("options", EVERY_KIND, ids=lambda options: f"{options.format}-{options.preset}")
def test_a_file_that_is_lost_before_it_is_mailed_is_made_again_byte_by_byte(options: Options) -> None:
    world = World(ROWS, mails=[REFUSED_FOR_NOW])
    export = world.request(options=options)
    world.work()
    for key in [key for key in world.files.content if key.startswith("csv/")]:
        del world.files.content[key]
    world.pass_time()

    done, form = world.export(export), file_format(options.format)
    assert done.status is ExportStatus.COMPLETED
    assert done.file
    assert done.file.name == f"memberships-2026-03-01.{form.ending}"
    assert {mail.attachment.media_type for mail in world.mails if mail.attachment} == {form.media_type}
    first, second = map(attachment, world.mails)
    assert first == second != b""


@pytest.mark.parametrize(
    "options, guarded",
    [
        (Options(), 3),
        (of_preset(Preset.EXCEL_DE), 3),
        (Options(guard=False), 0),
        (of_preset(Preset.RAW), 0),
        (Options(format=Format.XLSX), 0),
        (Options(format=Format.JSONL), 0),
    ],
    ids=["spreadsheet", "excel-de", "without", "raw", "xlsx", "jsonl"],
)
def test_the_record_says_how_many_cells_got_an_apostrophe(options: Options, guarded: int) -> None:
    world = World(ROWS)
    export = world.request(options=options)
    world.work()

    file = world.export(export).file
    assert file
    assert file.guarded == guarded


def test_json_lines_has_the_rows_and_the_chosen_columns_in_their_order() -> None:
    world = World(ROWS)
    world.request(options=Options(format=Format.JSONL, language="de", columns=("name", "id", "recurringPrice")))
    world.work()

    lines = attachment(world.mails[0]).decode().splitlines()
    assert [list(json.loads(line).items()) for line in lines] == [
        [("name", row["name"]), ("id", row["id"]), ("recurringPrice", row["recurringPrice"])] for row in ROWS
    ]
