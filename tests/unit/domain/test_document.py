"""A record as it is stored."""

from dataclasses import replace

from memberships_export.domain.export.document import read_document, write_document
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
