"""What was measured of the parts of a small export, as a section of docs/benchmarks.md."""

from statistics import median

from bench.aims import aim_of_parts, shares_of_timeline
from bench.results import PartsRuns
from bench.tables import table


def parts_section(parts: PartsRuns) -> str:
    """Write the section."""
    aim = aim_of_parts(parts)
    lower, middle, upper = shares_of_timeline(parts)
    row = [
        str(parts.rows),
        str(parts.exports * len(parts.without)),
        f"{median(parts.with_timeline) * 1000:.2f}",
        f"{median(parts.without) * 1000:.2f}",
        f"{middle:.1%}",
        f"{lower:.1%} to {upper:.1%}",
    ]
    return f"""\
## What the timeline adds

Processor time of one small export, by a worker of one thread on one machine, its system calls included: as it is, and
with a timeline that notes nothing, in turns of {parts.exports} exports each. Half of the turns are within the spread.
An export that nobody steers writes nothing into the audit log.

{table(["aim", "measured", ""], [(aim.text, aim.measured, "met" if aim.met else "**missed**")])}

{table(["rows", "exports of each", "ms", "ms without", "added", "spread"], [row])}"""
