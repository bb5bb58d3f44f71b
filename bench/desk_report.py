"""What was measured of lists of exports, as a section of docs/benchmarks.md."""

from statistics import median

from bench.aims import aim_of_desk, number
from bench.results import DeskRuns
from bench.tables import table


def desk_section(desk: DeskRuns) -> str:
    """Write the section."""
    aim = aim_of_desk(desk)
    rows = [
        [name, *(f"{seconds * 1000:.1f}" for seconds in (median(times), min(times), max(times)))]
        for name, times in desk.seconds.items()
    ]
    return f"""\
## Lists for operators

Of {number(desk.exports)} exports, the newest 20 that fit, with counts by status and cause: `exports list` without
the start of its process.

{table(["aim", "measured", ""], [(aim.text, aim.measured, "met" if aim.met else "**missed**")])}

{table(["exports of", "median ms", "shortest", "longest"], rows)}"""
