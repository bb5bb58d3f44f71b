import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import rival_programs
from bench.accepting import measure_accepting
from bench.backlog import measure_backlog
from bench.processes import processor_seconds
from bench.queues import CELERY, HUEY, QUEUES, RQ_FORK
from bench.report import report
from bench.results import LatencyRuns
from bench.rival_results import COPY, CURSOR, JOB, OURS, OURS_ARRAYS, PSQL, BacklogRun, WholeRuns, WholeSize
from bench.rivals_report import figures_section
from bench.whole import measure_whole
from tests.unit.test_bench_report import ACCEPTING, BACKLOG, MB, WHOLE, a_file, a_run, a_turn, lines_with, measured

MILLION = "1 000 000 rows, PostgreSQL"


def shown(page: str, figure: str) -> str:
    """Return the line of a figure, without its name."""
    (line,) = [line for line in lines_with(figure, page) if line.startswith(f"| {figure} |")]
    return line.partition(f"| {figure} |")[2].strip()


def with_largest(who: str, *seconds: float) -> WholeRuns:
    *smaller, largest = WHOLE.sizes
    runs = {**largest.runs, who: tuple(map(a_run, seconds))}
    return replace(WHOLE, sizes=(*smaller, replace(largest, runs=runs)))


def test_a_figure_is_a_ratio_of_medians_with_its_aim_and_the_load_of_the_machine() -> None:
    page = report(measured())

    assert shown(page, f"{MILLION}: `COPY` to a file ÷ ours") == "≥ 0.8 | 0.80 | 0.2 to 1.5 | met |"
    assert shown(page, "1 000 small exports, 4 workers: ours ÷ Celery") == "≥ 2 | 2.00 |  | met |"


@pytest.mark.parametrize(
    "changed, figure",
    [
        ({"whole": with_largest(COPY, 3.95)}, f"{MILLION}: `COPY` to a file ÷ ours"),
        ({"whole": with_largest(OURS_ARRAYS, 4.1)}, f"{MILLION}: `COPY` to a file ÷ ours, rows as arrays"),
        ({"whole": with_largest(JOB, 12.4)}, f"{MILLION}: body of a queue job ÷ ours"),
        (
            {
                "backlog": replace(
                    BACKLOG, runs={**BACKLOG.runs, CELERY: (BacklogRun(seconds=7.9, processor_seconds=1),)}
                )
            },
            "1 000 small exports, 4 workers: ours ÷ Celery",
        ),
        ({"latency": LatencyRuns(rows=100, seconds=(0.01, 0.01))}, "request → mail, 100 rows: p50, ms"),
        ({"latency": LatencyRuns(rows=100, seconds=(0.001, 0.001, 0.016))}, "request → mail, 100 rows: p99, ms"),
        ({"accepting": replace(ACCEPTING, accepting=(a_turn(2.6),) * 3)}, "accepting ÷ an empty `async` route"),
        ({"accepting": replace(ACCEPTING, accepting=(a_turn(1, 0.026),) * 3)}, "accepting at 8 connections: p99, ms"),
        (
            {"whole": replace(WHOLE, longest=WholeSize(rows=3_000_000, runs={OURS: (a_run(18),)}))},
            "growth exponent of the time, 100 000 to 3 000 000 rows",
        ),
        (
            {"whole": replace(WHOLE, longest=WholeSize(rows=3_000_000, runs={OURS: (a_run(15, peak_mb=89),)}))},
            "peak memory, 3 000 000 rows ÷ 10 000 rows",
        ),
        (
            {"functions": replace(measured().functions, cold_message=(0.31,))},
            "cold start until the first message ÷ handler with boto3",
        ),
        (
            {
                "formats": replace(
                    measured().formats, large={**measured().formats.large, "XLSX level 1": (a_file(5.1),)}
                )
            },
            "XLSX: `csv.writer` ÷ ours",
        ),
    ],
)
def test_a_figure_beside_others_that_falls_short_is_shown_as_missed(changed: Mapping[str, Any], figure: str) -> None:
    page = figures_section(replace(measured(), **changed))

    assert shown(page, figure).endswith("| **missed** |")
    assert len(lines_with("**missed**", page)) == 1


def test_processor_time_is_judged_by_the_million_rows() -> None:
    sizes = tuple(replace(size, runs={**size.runs, OURS: (a_run(1, processor=0.76),)}) for size in WHOLE.sizes[:2])
    page = report(replace(measured(), whole=replace(WHOLE, sizes=sizes, longest=None)))

    assert shown(page, "100 000 rows, PostgreSQL: processor time of all processes, s") == (
        "≤ 0.75 | 0.76 | 0.2 to 1.5 | **missed** |"
    )


def test_accepting_is_shown_beside_the_empty_route_by_medians() -> None:
    page = report(measured())

    assert "| accepting | 800 | 2.0 | 25.0 | 0.40 |" in page
    assert "| empty route | 2 000 | 2.0 | 3.0 | 1.00 |" in page
    assert "takes 0.80 ms of the processor" in page


def test_a_small_measurement_of_accepting_asks_as_often_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = iter([1.0, 2.0, 5.0, 10.0])  # the system's own count moves in steps larger than ten requests take
    monkeypatch.setattr("bench.accepting.processor_seconds", lambda _: next(read))
    accepting = measure_accepting(tmp_path, requests=10, turns=1)

    assert [turn.requests for turn in (*accepting.accepting, *accepting.empty)] == [10, 10]
    assert accepting.processor == (0.5,)


def test_the_page_says_where_a_rival_wins_and_what_it_does_not_do() -> None:
    page = report(measured())

    assert (
        "- **`COPY` to a file**: it wins at 10 000 rows (5.0 times as fast), 100 000 rows (1.2 times as fast), "
        "1 000 000 rows (1.2 times as fast). At 1 000 000 rows it takes 0.50 times our processor time and 0.50 times "
        "our memory. It is let into the database"
    ) in page
    assert "- **body of a queue job**: it wins at no size." in page
    assert "- **huey**: it wins, 2.0 times as fast. " in page
    assert "- **Celery, prefork**: it does not win: we are 2.0 times as fast. " in page


def test_queues_are_compared_with_us_on_all_cores() -> None:
    page = report(measured())

    assert "| ours | 5.00 | 200.0 | 1.25 | 8.0 |" in page
    assert "| ours, two processes | 4.00 | 250.0 | 1.00 | 8.0 |" in page
    assert "| Celery, prefork | 8.00 | 125.0 | 2.00 | 14.0 |" in page


def test_a_rival_that_did_not_run_is_named_with_the_reason() -> None:
    largest = WHOLE.sizes[-1]
    alone = replace(
        WHOLE, sizes=(replace(largest, runs={OURS: largest.runs[OURS]}),), missing={COPY: "why", JOB: "why"}
    )
    without = replace(BACKLOG, runs={OURS: BACKLOG.runs[OURS]}, missing={CELERY: "no Redis"})
    page = report(replace(measured(), whole=alone, backlog=without))

    assert "- **Celery, prefork** did not run: no Redis." in page
    assert shown(page, "1 000 small exports, 4 workers: ours ÷ Celery") == "≥ 2 | no Redis |  | not measured |"
    assert shown(page, f"{MILLION}: `COPY` to a file ÷ ours") == ("≥ 0.8 | why | 0.2 to 1.5 | not measured |")


def test_without_postgresql_the_page_says_so() -> None:
    page = report(replace(measured(), whole=WholeRuns(sizes=(), missing={OURS: "no wheel"})))

    assert "- **ours** did not run: no wheel." in page


# --- Small measurements -----------------------------------------------------------------------------------------------


@pytest.fixture
def no_rivals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rival_programs, "PYTHON", tmp_path / "nothing")


@pytest.mark.usefixtures("no_rivals")
def test_without_their_environment_rivals_are_left_out_and_we_are_measured(tmp_path: Path) -> None:
    backlog = measure_backlog(tmp_path, exports=3, repeat=1)

    assert {len(runs) for runs in backlog.runs.values()} == {1}
    assert not backlog.runs.keys() & QUEUES.keys()
    assert backlog.runs[OURS][0].processor_seconds > 0
    assert backlog.missing == dict.fromkeys(QUEUES, rival_programs.NOT_INSTALLED)


@pytest.mark.usefixtures("no_rivals")
def test_large_exports_with_postgresql_are_measured_without_rivals_too(tmp_path: Path) -> None:
    whole = measure_whole(tmp_path, sizes=(30,), longest=60, repeat=1)

    assert [size.rows for size in whole.sizes] == [30]
    assert whole.longest is not None
    assert whole.longest.runs[OURS][0].peak_bytes > MB
    assert whole.missing == dict.fromkeys((COPY, PSQL, CURSOR, JOB), rival_programs.NOT_INSTALLED)


@pytest.mark.skipif(bool(rival_programs.why_no_rivals()), reason=rival_programs.NOT_INSTALLED)
def test_rivals_that_are_installed_make_the_same_files_and_mails(tmp_path: Path) -> None:
    whole = measure_whole(tmp_path, sizes=(30,), longest=None, repeat=1)
    backlog = measure_backlog(tmp_path, exports=3, repeat=1)

    assert whole.sizes[0].runs.keys() == {OURS, OURS_ARRAYS, COPY, PSQL, CURSOR, JOB}
    assert backlog.missing == {name: queue.why_not() for name, queue in QUEUES.items() if queue.why_not()}
    assert {OURS, HUEY} <= backlog.runs.keys()


def test_without_redis_only_what_needs_it_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rival_programs, "PYTHON", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert QUEUES[RQ_FORK].why_not() == QUEUES[CELERY].why_not() == rival_programs.NO_REDIS
    assert QUEUES[HUEY].why_not() == ""


def test_processor_time_counts_what_ended_children_took() -> None:
    before = processor_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)

    assert processor_seconds(os.getpid()) > before
