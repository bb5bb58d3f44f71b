from dataclasses import replace

import msgspec
import pytest

from bench import former_csv
from bench.formats import measure_formats
from bench.formats_report import formats_section
from bench.one_file import KINDS, one_file
from bench.results import FileRun, FormatRuns
from memberships_api.sample import sample_memberships
from memberships_export.domain.formats.options import Options
from memberships_export.domain.source.exchange import Answer
from tests.readers import FileOfTables, a_plan, own_reader
from tests.unit.test_bench_report import FORMATS, MB, a_file, lines_with


def with_large(kind: str, *files: FileRun) -> FormatRuns:
    return replace(FORMATS, large={**FORMATS.large, kind: files})


def test_every_aim_that_is_just_reached_is_met() -> None:
    assert lines_with("missed", formats_section(FORMATS)) == []


@pytest.mark.parametrize(
    "kind, seconds, missed",
    [
        ("CSV spreadsheet", 2.11, "CSV for spreadsheets"),
        ("XLSX level 1", 7.01, "XLSX, level 1: at most 3.5 times the time of `csv.writer`"),
        ("XlsxWriter", 0.839, "XLSX, level 1: at least 6 times as fast as XlsxWriter"),
        ("JSON Lines", 1.01, "JSON Lines: at most 0.5 times the time of `csv.writer`"),
    ],
)
def test_a_writer_that_takes_longer_than_hoped_is_shown_as_missed(kind: str, seconds: float, missed: str) -> None:
    rows = FORMATS.large[kind][0].rows
    lines = lines_with("**missed**", formats_section(with_large(kind, a_file(seconds, rows=rows))))

    assert any(missed in line for line in lines)


@pytest.mark.parametrize("kind", FORMATS.small)
def test_memory_that_grows_with_the_rows_is_shown_with_the_kind_of_file(kind: str) -> None:
    grown = with_large(kind, replace(FORMATS.large[kind][1], peak_bytes=int(46.1 * MB)))
    (line,) = lines_with("**missed**", formats_section(grown))

    assert line == (
        f"| peak memory of each for 1 000 000 rows: at most 1.15 times that for 10 000 | 1.15 times ({kind}) | "
        "**missed** |"
    )


def test_the_fastest_file_counts_and_fewer_rows_are_scaled_up() -> None:
    section = formats_section(FORMATS)

    assert "| `csv.writer` | 1 000 000 | 2.00 | 1.00 | 145.0 | 46.0 |  |" in section
    assert "| XLSX level 1 | 1 000 000 | 7.00 | 3.50 | 145.0 | 46.0 | 40.0 |" in section
    assert "| XlsxWriter | 20 000 | 42.00 | 21.00 | 2.9 | 46.0 |  |" in section
    assert "All kinds take turns, 2 times" in section


def test_the_csv_of_before_there_were_options_is_still_the_same_bytes() -> None:
    page = msgspec.json.encode({"items": list(sample_memberships(100, "user-1")), "nextCursor": None})
    table = own_reader().table(own_reader().read(Answer(page)).rows)

    assert former_csv.written(table) == FileOfTables(a_plan(Options())).rows(table)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_file_is_written_and_measured(kind: str) -> None:
    file = one_file(kind, 10_000)

    assert file.rows == 10_000
    assert file.seconds > 0
    assert file.file_bytes > 10_000 * 20
    assert file.peak_bytes > MB


@pytest.mark.parametrize("rows", [0, 4999, 5001])
def test_rows_that_are_no_whole_pages_are_refused_and_not_measured_as_fewer(rows: int) -> None:
    with pytest.raises(AssertionError):
        one_file("csv.writer", rows)


def test_processes_of_their_own_measure_all_kinds_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.formats.KINDS", ("csv.writer", "CSV spreadsheet"))
    formats = measure_formats(small=5000, large=10_000, repeat=2)

    assert {kind: [file.rows for file in files] for kind, files in formats.large.items()} == {
        "csv.writer": [10_000, 10_000],
        "CSV spreadsheet": [10_000, 10_000],
    }
    assert [file.rows for file in formats.small.values()] == [5000, 5000]
