"""What the exports should reach, judged by what was measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.results import ExportRun, SizeRuns

LEAST_RATIO = 0.35
MOST_MEMORY_GROWTH = 1.25
MOST_TIME_GROWTH = 1.1  # beside the growth of the rows


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
