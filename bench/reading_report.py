"""What was measured of reading and writing by a profile, as a section of docs/benchmarks.md."""

from collections.abc import Sequence
from statistics import median

from bench.aims import aims_of_reading, number, rows_per_second
from bench.results import ReadingRuns
from bench.tables import table

_MB = 1_000_000


def reading_section(reading: ReadingRuns) -> str:
    """Write the section."""
    aims = [(aim.text, aim.measured, "met" if aim.met else "**missed**") for aim in aims_of_reading(reading)]
    return f"""\
## Reading by a profile

One process, one page of {number(reading.rows)} rows: read, checked, and made the lines of a spreadsheet, as when it
comes. Time is that of the processor. *Fixed row* is the code of this service as it was when it knew our own contract
only, kept in `bench/fixed_contract.py`: it read each page twice, when it came and for the file. Both ran in turn,
{len(reading.fixed)} times, and wrote the same bytes (checked). *Nested* is a page of an API as others have them, in
`bench/nested_api.py`: twelve columns out of objects in objects, text as keys, cents with their currency, seconds since
1970, {reading.nested_row_bytes} bytes a row.

{table(["aim", "measured", ""], aims)}

{table(["page", "median ms", "shortest", "longest", "rows/s"], _pages(reading))}

Distinct keys: texts of 36 characters, taken up page by page, then looked through for one that came twice. Memory is the
most that Python held for it at once, a page of keys included.

{table(["keys", "s", "MB"], [_keys(reading)])}"""


def _pages(reading: ReadingRuns) -> list[list[str]]:
    pages = {"own contract, fixed row": reading.fixed, "own contract": reading.by_profile, "nested": reading.nested}
    return [[name, *_times(seconds), number(rows_per_second(reading.rows, seconds))] for name, seconds in pages.items()]


def _times(seconds: Sequence[float]) -> list[str]:
    return [f"{value * 1000:.1f}" for value in (median(seconds), min(seconds), max(seconds))]


def _keys(reading: ReadingRuns) -> list[str]:
    return [number(reading.keys), f"{reading.keys_seconds:.2f}", f"{reading.keys_bytes / _MB:.1f}"]
