"""A record as it is stored."""

from dataclasses import replace

from memberships_export.domain.export.document import read_document, write_document
from memberships_export.domain.formats.options import FilterValue, Format, Options, Preset, of_preset
from memberships_export.domain.source.progress import Progress
from tests.factories import an_export
from tests.unit.domain.filled_records import COMPLETED, FAILED, RUNNING


def test_what_is_as_in_a_new_record_is_not_stored_also_of_its_progress() -> None:
    export = an_export(export_id="e-1", wake_at=None, progress=Progress(pages=2, rows=6, cursor="6:7"))
    assert write_document(export) == (
        '{"export_id":"e-1","user_id":"user-1","email":"member@example.org","requested_at":"2026-03-01T12:00:00Z",'
        '"progress":{"pages":2,"rows":6,"cursor":"6:7"}}'
    )


def test_whatever_is_stored_is_read_back_as_it_was() -> None:
    new = replace(an_export(), wake_at=None)
    for export in (new, RUNNING, FAILED, COMPLETED):
        assert read_document(write_document(export)) == export


def test_of_what_was_chosen_only_what_is_not_as_in_a_plain_export_is_stored() -> None:
    chosen = Options(format=Format.XLSX, columns=("id",), filters=(FilterValue("state", "active"),))
    document = write_document(replace(an_export(), options=chosen))
    assert '"options":{"format":"xlsx","columns":["id"],"filters":[{"name":"state","value":"active"}]}' in document


def test_the_preset_of_a_record_from_before_there_were_options_still_counts() -> None:
    former = write_document(an_export())[:-1] + ',"preset":"raw"}'
    assert read_document(former).options == of_preset(Preset.RAW)


def test_a_plain_preset_is_its_own_key_so_that_older_records_are_found_again() -> None:
    assert [of_preset(preset).key for preset in (Preset.SPREADSHEET, Preset.RAW)] == ["spreadsheet", "raw"]


def test_two_wishes_that_differ_in_anything_have_keys_of_their_own() -> None:
    wishes = (
        Options(),
        Options(language="de"),
        Options(time_zone="Europe/Berlin"),
        Options(columns=("id", "name")),
        Options(columns=("name", "id")),
        Options(delimiter=";"),
        Options(guard=False),
        Options(filters=(FilterValue("state", "active"),)),
        Options(format=Format.XLSX),
    )
    assert len({options.key for options in wishes}) == len(wishes)
