"""What was measured of `/metrics`, as a section of docs/benchmarks.md."""

from statistics import median

from bench.aims import aim_of_scrapes, number
from bench.results import ScrapeRuns
from bench.tables import table


def scrapes_section(scrapes: ScrapeRuns) -> str:
    """Write the section."""
    aim = aim_of_scrapes(scrapes)
    timed = {"answer by HTTP": scrapes.answers, "reading of the gauges": scrapes.readings}
    rows = [
        [name, *(f"{seconds * 1000:.1f}" for seconds in (median(times), min(times), max(times)))]
        for name, times in timed.items()
    ]
    return f"""\
## Metrics

{number(scrapes.records)} exports wait, and {scrapes.processes} processes have counted.
The gauges are read every five seconds, beside the answers: an answer does not wait for them.

{table(["aim", "measured", ""], [(aim.text, aim.measured, "met" if aim.met else "**missed**")])}

{table(["", "median ms", "shortest", "longest"], rows)}"""
