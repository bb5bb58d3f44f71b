"""What the exports should reach, judged by what was measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from bench.results import DeskRuns, ExportRun, FunctionRuns, PartsRuns, ReadingRuns, ScrapeRuns, SizeRuns

LEAST_RATIO = 0.35
MOST_MEMORY_GROWTH = 1.25
MOST_TIME_GROWTH = 1.1  # beside the growth of the rows
MOST_COLD_RATIO = 0.75
MOST_BUNDLE_MB = 25
MOST_CALLS = 10
MOST_FUNCTION_MB = 256
MOST_READING_RATIO = 1.15
LEAST_NESTED_RATE = 100_000  # rows a second
MOST_KEYS_MB = 20
MOST_SCRAPE_MS = 20
MOST_LIST_MS = 50
MOST_TIMELINE_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Aim:
    """One aim: what was hoped for, what came out."""

    text: str
    measured: str
    met: bool


def typical(exports: Sequence[ExportRun]) -> ExportRun:
    """Return the export of median time, so that its stages belong together."""
    return sorted(exports, key=lambda export: export.seconds)[(len(exports) - 1) // 2]


def peak_bytes(size: SizeRuns) -> int:
    """Return the highest peak of the exports of this size."""
    return max(export.peak_bytes for export in size.exports)


def ratio_to_dump(size: SizeRuns) -> float:
    """Compare rows per second of the export of median time with those of the fastest dump."""
    return min(size.dump_seconds) / typical(size.exports).seconds


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent of the values do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def aims_of(sizes: Sequence[SizeRuns]) -> list[Aim]:
    """Judge the sizes, smallest first; growth is judged where there are two sizes or more."""
    aims = [_ratio_aim(size) for size in sizes]
    if len(sizes) > 1:
        aims += [_memory_aim(sizes[0], sizes[-1]), _time_aim(sizes[-2], sizes[-1])]
    return aims


def aims_of_functions(functions: FunctionRuns) -> list[Aim]:
    """Judge the function."""
    ratio = cold_ratio(functions.cold_message, functions)
    megabytes = max(functions.bundle_bytes.values()) / 1_000_000
    calls, peak = len(functions.calls), functions.peak_bytes / 1_000_000
    return [
        Aim(
            f"cold start until the first message is handled: at most {MOST_COLD_RATIO:g} times that of the baseline",
            f"{ratio:.2f} times",
            ratio <= MOST_COLD_RATIO,
        ),
        Aim(f"bundle: at most {MOST_BUNDLE_MB} MB zipped", f"{megabytes:.1f} MB", megabytes <= MOST_BUNDLE_MB),
        Aim(f"calls to AWS for an export of 10 rows: at most {MOST_CALLS}", str(calls), calls <= MOST_CALLS),
        Aim(
            f"peak memory of the function for {number(functions.rows)} rows: at most {MOST_FUNCTION_MB} MB",
            f"{peak:.1f} MB",
            peak <= MOST_FUNCTION_MB,
        ),
    ]


def aims_of_reading(reading: ReadingRuns) -> list[Aim]:
    """Judge reading by a profile."""
    ratio = median(reading.by_profile) / median(reading.fixed)
    rate = rows_per_second(reading.rows, reading.nested)
    megabytes = reading.keys_bytes / 1_000_000
    return [
        Aim(
            f"our own contract by its profile: at most {MOST_READING_RATIO} times the time of the fixed row",
            f"{ratio:.2f} times",
            ratio <= MOST_READING_RATIO,
        ),
        Aim(
            f"nested rows: at least {number(LEAST_NESTED_RATE)} a second",
            number(rate),
            rate >= LEAST_NESTED_RATE,
        ),
        Aim(
            f"{number(reading.keys)} distinct keys: at most {MOST_KEYS_MB} MB",
            f"{megabytes:.1f} MB",
            megabytes <= MOST_KEYS_MB,
        ),
    ]


def aim_of_scrapes(scrapes: ScrapeRuns) -> Aim:
    """Judge `/metrics`."""
    milliseconds = median(scrapes.answers) * 1000
    return Aim(
        f"/metrics with {number(scrapes.records)} exports that wait: at most {MOST_SCRAPE_MS} ms",
        f"{milliseconds:.1f} ms",
        milliseconds <= MOST_SCRAPE_MS,
    )


def aim_of_desk(desk: DeskRuns) -> Aim:
    """Judge the list of one user's exports."""
    milliseconds = median(desk.seconds["one user"]) * 1000
    return Aim(
        f"list of one user among {number(desk.exports)} exports: at most {MOST_LIST_MS} ms",
        f"{milliseconds:.1f} ms",
        milliseconds <= MOST_LIST_MS,
    )


def shares_of_timeline(parts: PartsRuns) -> tuple[float, float, float]:
    """Return what the timeline adds, as a part of all the rest: lower quartile, median, upper quartile of all turns."""
    shares = [with_it / without - 1 for with_it, without in zip(parts.with_timeline, parts.without, strict=True)]
    lower, middle, upper = quantiles(shares, n=4)
    return lower, middle, upper


def aim_of_parts(parts: PartsRuns) -> Aim:
    """Judge the timeline; the audit log is not in the way of an export at all."""
    _, share, _ = shares_of_timeline(parts)
    return Aim(
        f"timeline and audit log: at most {MOST_TIMELINE_SHARE:.0%} of a small export",
        f"{share:.1%}",
        share <= MOST_TIMELINE_SHARE,
    )


def rows_per_second(rows: int, seconds: Sequence[float]) -> int:
    """Return how many rows a second go through in median time."""
    return round(rows / median(seconds))


def cold_ratio(seconds: Sequence[float], functions: FunctionRuns) -> float:
    """Compare the median of cold starts with that of the baseline."""
    return median(seconds) / median(functions.cold_baseline)


def number(value: int) -> str:
    """Write a whole number in groups of three digits."""
    return f"{value:,}".replace(",", " ")


def _ratio_aim(size: SizeRuns) -> Aim:
    ratio = ratio_to_dump(size)
    text = f"{number(size.rows)} rows: at least {LEAST_RATIO} of the rows per second of the plain dump"
    return Aim(text, f"{ratio:.3f}", ratio >= LEAST_RATIO)


def _memory_aim(smallest: SizeRuns, largest: SizeRuns) -> Aim:
    growth = peak_bytes(largest) / peak_bytes(smallest)
    text = (
        f"{number(largest.rows)} rows: peak memory at most {MOST_MEMORY_GROWTH} times that of "
        f"{number(smallest.rows)} rows"
    )
    return Aim(text, f"{growth:.2f} times", growth <= MOST_MEMORY_GROWTH)


def _time_aim(smaller: SizeRuns, larger: SizeRuns) -> Aim:
    most = MOST_TIME_GROWTH * larger.rows / smaller.rows
    growth = typical(larger.exports).seconds / typical(smaller.exports).seconds
    text = f"{number(larger.rows)} rows: time at most {most:g} times that of {number(smaller.rows)} rows"
    return Aim(text, f"{growth:.2f} times", growth <= most)
