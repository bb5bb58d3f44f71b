"""Where files lie: what an older version stored is found by a newer one, so each key is written out here."""

import re
from dataclasses import replace

import pytest

from memberships_export.domain.export.record import Export
from memberships_export.domain.source.progress import Progress
from memberships_export.service.file_keys import file_key, part_key, profile_key
from tests.factories import an_export

EXPORT = an_export(export_id="e-1", token=4, progress=Progress(walk=2))


@pytest.mark.parametrize(
    "export, page, place, key",
    [
        (EXPORT, 0, None, "parts/e-1/2-000000-e3b0c44298fc.part"),
        (EXPORT, 0, "", "parts/e-1/2-000000-e3b0c44298fc.part"),
        (EXPORT, 1, "3:7", "parts/e-1/2-000001-cde46093ade9.part"),
        (replace(EXPORT, profile="f00d"), 12, None, "parts/e-1/2-000012-0f8721b0aef3.part"),
        (replace(EXPORT, profile="f00d"), 12, "3:7", "parts/e-1/2-000012-42e4009911b8.part"),
    ],
)
def test_a_page_lies_under_its_walk_number_and_place(export: Export, page: int, place: str | None, key: str) -> None:
    assert part_key(export, page, place) == key


def test_a_profile_lies_beside_the_pages_that_were_read_by_it() -> None:
    assert profile_key("e-1", "f00d") == "parts/e-1/profile-f00d.toml"


def test_each_file_that_is_written_has_a_key_of_its_own_that_names_the_claim() -> None:
    keys = {file_key(EXPORT, "csv") for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch(r"csv/e-1/4-[0-9a-f]{8}\.csv", key) for key in keys)
