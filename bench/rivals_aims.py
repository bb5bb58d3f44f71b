"""The figures that the service is to reach beside others, judged by what was measured in the same run."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from bench.aims import MOST_COLD_RATIO, cold_ratio, number, percentile
from bench.formats_aims import of_csv_module
from bench.queues import CELERY
from bench.results import Load, Measured
from bench.rival_results import COPY, JOB, OURS, OURS_ARRAYS, OURS_SPREAD, BacklogRuns, WholeRuns, WholeSize

LEAST_OF_COPY = 0.8
LEAST_OF_COPY_BY_ARRAYS = 1.0
LEAST_OF_JOB = 2.5
MOST_PROCESSOR = 7.5  # seconds, for a million rows
LEAST_OF_CELERY = 2.0
MOST_P50_MS = 9
MOST_P99_MS = 15
LEAST_OF_EMPTY = 0.4
MOST_ACCEPTING_P99_MS = 25
MOST_EXPONENT = 1.05
MOST_GROWTH_OF_LONGEST = 1.1
LEAST_XLSX = 0.4


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `met` is None where it was not measured: `measured` then says why."""

    text: str
    aim: str
    measured: str
    load: Load | None
    met: bool | None


def figures(measured: Measured) -> list[Figure]:
    """Judge all of them, in the order of the page."""
    return [
        *_of_whole(measured.whole, measured.loads.get("whole")),
        _of_backlog(measured.backlog, measured.loads.get("backlog")),
        *_of_latency(measured),
        *_of_accepting(measured),
        *_of_growth(measured.whole, measured.loads.get("whole")),
        _at_most(
            "cold start until the first message ÷ handler with boto3",
            MOST_COLD_RATIO,
            cold_ratio(measured.functions.cold_message, measured.functions),
            measured.loads.get("functions"),
        ),
        _at_least(
            "XLSX: `csv.writer` ÷ ours",
            LEAST_XLSX,
            1 / of_csv_module(measured.formats, "XLSX level 1"),
            measured.loads.get("formats"),
        ),
    ]


def times_faster(size: WholeSize, who: str, ours: str = OURS) -> float:
    """Return their median time by ours: above 1, ours is the faster one."""
    return median(run.seconds for run in size.runs[who]) / median(run.seconds for run in size.runs[ours])


def times_more(backlog: BacklogRuns, who: str) -> float:
    """Return how many exports we work off while they do one, medians; ours with four workers, as theirs."""
    ours, theirs = (median(run.seconds for run in backlog.runs[name]) for name in (best_of_ours(backlog), who))
    return theirs / ours


def best_of_ours(backlog: BacklogRuns) -> str:
    """Return the way that uses all cores, where it was measured."""
    return OURS_SPREAD if OURS_SPREAD in backlog.runs else OURS


def _of_whole(whole: WholeRuns, load: Load | None) -> Iterator[Figure]:
    if not whole.sizes:
        yield Figure("whole exports with PostgreSQL", "", whole.missing[OURS], load, None)
        return
    size = whole.sizes[-1]
    rows = f"{number(size.rows)} rows, PostgreSQL"
    compared = (COPY, OURS, LEAST_OF_COPY), (COPY, OURS_ARRAYS, LEAST_OF_COPY_BY_ARRAYS), (JOB, OURS, LEAST_OF_JOB)
    for who, ours, least in compared:
        text = f"{rows}: {who} ÷ {ours}"
        if who in size.runs:
            yield _at_least(text, least, times_faster(size, who, ours), load)
        else:
            yield Figure(text, f"≥ {least:g}", whole.missing[who], load, None)
    most = MOST_PROCESSOR * size.rows / 1_000_000
    seconds = median(run.processor_seconds for run in size.runs[OURS])
    yield _at_most(f"{rows}: processor time of all processes, s", most, seconds, load)


def _of_backlog(backlog: BacklogRuns, load: Load | None) -> Figure:
    text = f"{number(backlog.exports)} small exports, 4 workers: ours ÷ Celery"
    if CELERY not in backlog.runs:
        return Figure(text, f"≥ {LEAST_OF_CELERY:g}", backlog.missing[CELERY], load, None)
    return _at_least(text, LEAST_OF_CELERY, times_more(backlog, CELERY), load)


def _of_latency(measured: Measured) -> Iterator[Figure]:
    latency, load = measured.latency, measured.loads.get("latency")
    for percent, most in ((50, MOST_P50_MS), (99, MOST_P99_MS)):
        milliseconds = percentile(latency.seconds, percent) * 1000
        yield _at_most(f"request → mail, {latency.rows} rows: p{percent}, ms", most, milliseconds, load)


def _of_accepting(measured: Measured) -> Iterator[Figure]:
    accepting, load = measured.accepting, measured.loads.get("accepting")
    yield _at_least("accepting ÷ an empty `async` route", LEAST_OF_EMPTY, accepting.ratio, load)
    yield _at_most("accepting at 8 connections: p99, ms", MOST_ACCEPTING_P99_MS, accepting.p99 * 1000, load)


def _of_growth(whole: WholeRuns, load: Load | None) -> Iterator[Figure]:
    """Judge the longest export beside a large and the smallest one."""
    if whole.longest is None or len(whole.sizes) < 2:
        yield Figure("growth with the rows", "", "it takes two sizes and the longest", load, None)
        return
    smaller, longest = whole.sizes[-2], whole.longest
    grown = median(run.seconds for run in longest.runs[OURS]) / median(run.seconds for run in smaller.runs[OURS])
    exponent = math.log(grown) / math.log(longest.rows / smaller.rows)
    text = f"growth exponent of the time, {number(smaller.rows)} to {number(longest.rows)} rows"
    yield _at_most(text, MOST_EXPONENT, exponent, load)
    small, large = (max(run.peak_bytes for run in size.runs[OURS]) for size in (whole.sizes[0], longest))
    text = f"peak memory, {number(longest.rows)} rows ÷ {number(whole.sizes[0].rows)} rows"
    yield _at_most(text, MOST_GROWTH_OF_LONGEST, large / small, load)


def _at_least(text: str, least: float, value: float, load: Load | None) -> Figure:
    return Figure(text, f"≥ {least:g}", f"{value:.2f}", load, value >= least)


def _at_most(text: str, most: float, value: float, load: Load | None) -> Figure:
    return Figure(text, f"≤ {most:g}", f"{value:.2f}", load, value <= most)
