from dataclasses import replace
from pathlib import Path

import pytest

from bench.aims import percentile
from bench.desk import measure_desk
from bench.functions_report import functions_section
from bench.queues import CELERY, HUEY
from bench.reading import measure_reading
from bench.report import report
from bench.results import (
    DeskRuns,
    ExportRun,
    FileRun,
    FormatRuns,
    FunctionRuns,
    LatencyRuns,
    Load,
    Machine,
    Measured,
    PartsRuns,
    ReadingRuns,
    ScrapeRuns,
    SizeRuns,
    StartupRuns,
)
from bench.rival_results import (
    COPY,
    JOB,
    OURS,
    OURS_ARRAYS,
    OURS_SPREAD,
    AcceptingRuns,
    BacklogRun,
    BacklogRuns,
    Turn,
    WholeRun,
    WholeRuns,
    WholeSize,
)
from bench.scrapes import measure_scrapes
from bench.small_parts import measure_small_parts

MB = 1_000_000


def an_export(rows: int, seconds: float, peak_mb: float = 80) -> ExportRun:
    return ExportRun(
        rows=rows,
        seconds=seconds,
        stages={"fetch": seconds * 0.5, "render": seconds * 0.25, "deliver": seconds * 0.125},
        peak_bytes=int(peak_mb * MB),
        pages=rows // 5000,
        csv_bytes=rows * 150,
    )


def a_size(rows: int, *exports: ExportRun, dump: float) -> SizeRuns:
    return SizeRuns(rows=rows, exports=exports, dump_seconds=(dump * 2, dump, dump * 3))


SMALL = a_size(10_000, an_export(10_000, 0.2), dump=0.07)
MIDDLE = a_size(100_000, an_export(100_000, 1.0), dump=0.5)
LARGE = a_size(1_000_000, an_export(1_000_000, 11.0, peak_mb=100), dump=5.0)


FUNCTIONS = FunctionRuns(
    bundle_bytes={"arm64": 6_500_000, "this machine": 25_000_000},
    cold_baseline=(0.4, 0.3, 0.5),
    cold_message=(0.2, 0.3, 0.6),
    cold_export=(0.5, 0.6, 0.7),
    calls=("Query", "PutItem", "PutItem", "SendMessage"),
    rows=1_000_000,
    seconds=20.0,
    peak_bytes=256 * MB,
    visit_seconds=0.0071,
)


READING = ReadingRuns(
    rows=5000,
    fixed=(0.02, 0.01, 0.03),
    by_profile=(0.022, 0.023, 0.04),
    nested=(0.04, 0.05, 0.06),
    nested_row_bytes=515,
    keys=1_000_000,
    keys_bytes=20 * MB,
    keys_seconds=0.4,
)


def a_file(seconds: float, peak_mb: float = 46, rows: int = 1_000_000) -> FileRun:
    return FileRun(rows=rows, seconds=seconds, file_bytes=rows * 145, peak_bytes=int(peak_mb * MB))


OWN_KINDS = {"CSV spreadsheet": 2.1, "CSV excel-de": 2.5, "JSON Lines": 1.0, "XLSX level 1": 7.0, "XLSX level 6": 9.0}
FORMATS = FormatRuns(
    large={
        "csv.writer": (a_file(2.5), a_file(2.0)),
        "CSV before options": (a_file(2.0), a_file(2.5)),
        **{kind: (a_file(seconds * 2), a_file(seconds)) for kind, seconds in OWN_KINDS.items()},
        "XlsxWriter": (a_file(0.84, rows=20_000), a_file(0.9, rows=20_000)),
    },
    small={kind: a_file(0.01, 40, rows=10_000) for kind in OWN_KINDS},
)


SCRAPES = ScrapeRuns(records=100_000, processes=4, answers=(0.004, 0.005, 0.006), readings=(0.2, 0.3, 0.1))


DESK = DeskRuns(exports=100_000, seconds={"one user": (0.001, 0.002, 0.003), "all": (0.01,)})


def a_turn(seconds: float, p99: float = 0.003) -> Turn:
    return Turn(requests=2000, seconds=seconds, p50=0.002, p99=p99)


def a_run(seconds: float, processor: float = 7.5, peak_mb: float = 80) -> WholeRun:
    return WholeRun(seconds=seconds, processor_seconds=processor, peak_bytes=int(peak_mb * MB))


WHOLE = WholeRuns(
    sizes=(
        WholeSize(rows=10_000, runs={OURS: (a_run(0.1),), COPY: (a_run(0.02),), JOB: (a_run(0.1),)}),
        WholeSize(
            rows=100_000,
            runs={OURS: (a_run(0.5),), OURS_ARRAYS: (a_run(0.3),), COPY: (a_run(0.4),), JOB: (a_run(1.25),)},
        ),
        WholeSize(
            rows=1_000_000,
            runs={
                OURS: (a_run(9), a_run(5), a_run(4)),
                OURS_ARRAYS: (a_run(3.9), a_run(3.9), a_run(3)),
                COPY: (a_run(4.0, 3.75, 40), a_run(9.0, 3.75, 40), a_run(3.5, 3.75, 40)),
                JOB: (a_run(12.5),),
            },
        ),
    ),
    longest=WholeSize(rows=3_000_000, runs={OURS: (a_run(15, peak_mb=88),)}),
)
BACKLOG = BacklogRuns(
    exports=1000,
    rows=10,
    runs={
        OURS: (BacklogRun(seconds=5, processor_seconds=8),),
        OURS_SPREAD: (BacklogRun(seconds=4, processor_seconds=8),),
        CELERY: tuple(BacklogRun(seconds=seconds, processor_seconds=14) for seconds in (7, 8, 9)),
        HUEY: (BacklogRun(seconds=2, processor_seconds=10),),
    },
)
PARTS = PartsRuns(rows=10, exports=20, with_timeline=(0.0041, 0.00404, 0.0044), without=(0.004, 0.004, 0.004))
ACCEPTING = AcceptingRuns(
    accepting=tuple(a_turn(seconds, p99) for seconds, p99 in ((4, 0.02), (2.5, 0.025), (2.4, 0.5))),
    empty=(a_turn(1), a_turn(1), a_turn(1)),
    processor=(0.0008, 0.0007, 0.0009),
)
LOADS = {"whole": Load(0.25, 1.5)}


def measured(*sizes: SizeRuns) -> Measured:
    return Measured(
        date="2026-01-02 03:04 UTC",
        revision="abc1234",
        command="python -m bench",
        machine=Machine(
            cpu="Some CPU", cpus=2, memory_gb=8, system="Linux 6", python="CPython 3", sqlite="3", filesystem="ext4"
        ),
        sizes=sizes or (SMALL, MIDDLE, LARGE),
        loads=LOADS,
        whole=WHOLE,
        latency=LatencyRuns(rows=100, seconds=(0.009, 0.008, 0.015)),
        backlog=BACKLOG,
        accepting=ACCEPTING,
        startup=StartupRuns(seconds={"python -c pass": (0.02, 0.01, 0.015)}),
        functions=FUNCTIONS,
        reading=READING,
        formats=replace(FORMATS, large={**FORMATS.large, "XLSX level 1": (a_file(5.0),)}),
        scrapes=SCRAPES,
        desk=DESK,
        parts=PARTS,
    )


def lines_with(text: str, page: str) -> list[str]:
    return [line for line in page.splitlines() if text in line]


def test_each_size_shows_its_export_of_median_time_and_its_highest_peak() -> None:
    exports = an_export(10_000, 0.9, peak_mb=70), an_export(10_000, 0.4, peak_mb=90.5), an_export(10_000, 0.5)

    page = report(measured(a_size(10_000, *exports, dump=0.1)))

    assert "| 10 000 | 0.50 | 20 000 | 0.25 | 0.12 | 0.06 | 2 | 1.5 | 90.5 |" in page
    assert "Each\nsize is exported 3 times" in page


def test_the_fastest_dump_is_what_the_export_is_compared_with() -> None:
    page = report(measured(a_size(100_000, an_export(100_000, 1.0), dump=0.5)))

    assert "| 100 000 | 0.500 | 200 000 | 100 000 | 0.500 |" in page


def test_aims_that_are_just_reached_are_met() -> None:
    page = report(measured())

    assert lines_with("missed", page) == []
    assert [line.rpartition("| ")[2] for line in lines_with("| 1 000 000 rows:", page)] == ["met |"] * 3


@pytest.mark.parametrize(
    "large, missed",
    [
        (a_size(1_000_000, an_export(1_000_000, 11.0, peak_mb=100), dump=3.8), "at least 0.35 of the rows"),
        (a_size(1_000_000, an_export(1_000_000, 11.0, peak_mb=101), dump=5.0), "peak memory at most 1.25 times"),
        (a_size(1_000_000, an_export(1_000_000, 11.1, peak_mb=100), dump=5.0), "time at most 11 times"),
    ],
)
def test_a_figure_that_falls_short_is_shown_as_missed(large: SizeRuns, missed: str) -> None:
    page = report(measured(SMALL, MIDDLE, large))

    assert len(lines_with("**missed**", page)) == 1
    assert missed in lines_with("**missed**", page)[0]


def test_a_single_size_has_nothing_to_grow_from() -> None:
    page = report(measured(SMALL))

    assert "peak memory at most" not in page
    assert "time at most" not in page


def test_the_other_measurements_have_their_tables() -> None:
    page = report(measured())

    assert "| ms | 9.0 | 15.0 | 15.0 |" in page
    assert "| `python -c pass` | 15 | 10 | 20 |" in page


def test_the_page_says_what_was_measured_where_and_how_to_repeat_it() -> None:
    page = report(replace(measured(), revision="abc1234 with uncommitted changes"))

    assert page.startswith("<!-- Written by `make bench`. Do not edit")
    assert "| Git revision | abc1234 with uncommitted changes |" in page
    assert "| CPU | Some CPU, 2 of its threads |" in page
    assert "## How to repeat\n\n```\nmake bench\n```" in page


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    tables = [block.splitlines() for block in report(measured()).split("\n\n") if block.startswith("|")]

    assert len(tables) == 25
    for table in tables:
        assert len({line.count("|") for line in table}) == 1


@pytest.mark.parametrize("percent, expected", [(50, 2), (51, 3), (99, 4), (100, 4)])
def test_a_percentile_is_the_smallest_value_that_so_many_percent_do_not_exceed(percent: int, expected: float) -> None:
    assert percentile([4, 1, 3, 2], percent) == expected


def test_the_function_is_compared_with_the_baseline_of_the_same_run() -> None:
    page = report(measured())

    assert "| first message | 300 | 200 | 600 | 0.75 |" in page
    assert "| first export | 600 | 500 | 700 | 1.50 |" in page
    assert "mapping: Query, PutItem x 2, SendMessage (4 in all)." in page
    assert "| 1 000 000 | 20.0 | 256.0 |" in page


@pytest.mark.parametrize(
    "functions, missed",
    [
        (replace(FUNCTIONS, cold_message=(0.41, 0.41, 0.41)), "cold start until the first message"),
        (replace(FUNCTIONS, bundle_bytes={"arm64": 25_100_000}), "bundle: at most 25 MB"),
        (replace(FUNCTIONS, calls=("GetItem",) * 13), "calls to AWS for an export of 10 rows: at most 10"),
        (replace(FUNCTIONS, peak_bytes=257 * MB), "peak memory of the function for 1 000 000 rows: at most 256 MB"),
    ],
)
def test_a_figure_of_the_function_that_falls_short_is_shown_as_missed(functions: FunctionRuns, missed: str) -> None:
    page = functions_section(functions)

    assert len(lines_with("**missed**", page)) == 1
    assert missed in lines_with("**missed**", page)[0]


def test_answers_of_metrics_are_shown_beside_the_reading_that_they_do_not_wait_for() -> None:
    page = report(measured())

    assert "| answer by HTTP | 5.0 | 4.0 | 6.0 |" in page
    assert "| reading of the gauges | 200.0 | 100.0 | 300.0 |" in page


def test_answers_of_metrics_that_are_too_slow_are_shown_as_missed() -> None:
    page = report(replace(measured(), scrapes=replace(SCRAPES, answers=(0.021,))))

    assert lines_with("**missed**", page) == [
        "| /metrics with 100 000 exports that wait: at most 20 ms | 21.0 ms | **missed** |"
    ]


def test_a_small_measurement_of_metrics_asks_as_often_as_it_says(tmp_path: Path) -> None:
    scrapes = measure_scrapes(tmp_path, records=30, processes=3, repeat=4)

    assert (scrapes.records, scrapes.processes, len(scrapes.answers), len(scrapes.readings)) == (30, 3, 3, 1)


def test_lists_for_operators_are_shown_by_what_was_asked_for() -> None:
    page = report(measured())

    assert "| one user | 2.0 | 1.0 | 3.0 |" in page
    assert "| list of one user among 100 000 exports: at most 50 ms | 2.0 ms | met |" in page


def test_a_list_for_operators_that_is_too_slow_is_shown_as_missed() -> None:
    page = report(replace(measured(), desk=replace(DESK, seconds={"one user": (0.051,)})))

    assert len(lines_with("**missed**", page)) == 1


def test_a_small_measurement_of_lists_asks_as_often_as_it_says(tmp_path: Path) -> None:
    desk = measure_desk(tmp_path, exports=50, repeat=2)

    assert desk.exports == 50
    assert {len(seconds) for seconds in desk.seconds.values()} == {2}


def test_the_share_of_the_timeline_is_shown_with_its_spread() -> None:
    page = report(measured())

    assert "| timeline and audit log: at most 3% of a small export | 2.5% | met |" in page
    assert "| 10 | 60 | 4.10 | 4.00 | 2.5% | 1.0% to 10.0% |" in page


def test_a_timeline_that_costs_too_much_is_shown_as_missed() -> None:
    page = report(replace(measured(), parts=replace(PARTS, without=(0.0039, 0.0039, 0.0039))))

    assert len(lines_with("**missed**", page)) == 1


def test_a_small_measurement_of_parts_has_two_numbers_for_each_turn(tmp_path: Path) -> None:
    parts = measure_small_parts(tmp_path, rounds=2, exports=2)

    assert (len(parts.with_timeline), len(parts.without)) == (2, 2)
    assert min(*parts.with_timeline, *parts.without) > 0


def test_a_profile_is_compared_with_the_fixed_row_of_the_same_run() -> None:
    page = report(measured())

    assert "| own contract, fixed row | 20.0 | 10.0 | 30.0 | 250 000 |" in page
    assert "| own contract | 23.0 | 22.0 | 40.0 | 217 391 |" in page
    assert "| nested | 50.0 | 40.0 | 60.0 | 100 000 |" in page
    assert "| 1 000 000 | 0.40 | 20.0 |" in page


@pytest.mark.parametrize(
    "reading, missed",
    [
        (replace(READING, by_profile=(0.0231, 0.0231, 0.0231)), "at most 1.15 times the time of the fixed row"),
        (replace(READING, nested=(0.0501, 0.0501, 0.0501)), "at least 100 000 a second"),
        (replace(READING, keys_bytes=21 * MB), "1 000 000 distinct keys: at most 20 MB"),
    ],
)
def test_a_figure_of_reading_that_falls_short_is_shown_as_missed(reading: ReadingRuns, missed: str) -> None:
    page = report(replace(measured(), reading=reading))

    assert len(lines_with("**missed**", page)) == 1
    assert missed in lines_with("**missed**", page)[0]


def test_a_small_measurement_of_reading_finds_the_same_bytes_and_counts_what_it_says() -> None:
    reading = measure_reading(rows=20, repeat=2, keys=100)

    assert (reading.rows, reading.keys) == (20, 100)
    assert [len(times) for times in (reading.fixed, reading.by_profile, reading.nested)] == [2, 2, 2]
    assert 450 < reading.nested_row_bytes < 550
    assert reading.keys_bytes > 0
