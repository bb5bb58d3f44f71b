"""What was measured of the kinds of file, as a section of docs/benchmarks.md."""

from collections.abc import Iterator

from bench.aims import number
from bench.formats_aims import aims_of_formats, fastest, of_csv_module
from bench.results import FormatRuns
from bench.tables import table

_MB = 1_000_000


def formats_section(formats: FormatRuns) -> str:
    """Write the section."""
    aims = [(aim.text, aim.measured, "met" if aim.met else "**missed**") for aim in aims_of_formats(formats)]
    head = ["file", "rows", "s for 1 000 000 rows", "of csv.writer", "MB", "peak MB", "peak MB, few rows"]
    return f"""\
## Formats

The same rows of our own contract, all twelve columns, as each kind of file. A process of its own writes a file, page
by page; its bytes are let go. All kinds take turns, {_times(formats)}; the fastest file of a kind counts. Time is that
of the processor, for the writer alone: what is spent on making the rows is not in it.

- *csv.writer* is the standard library's, with each page as bytes. It and *XlsxWriter* are handed whole numbers,
  `Decimal`, days and text, as a database gives them; our own are handed the texts that a page holds.
- *CSV before options* is the writer of this service as it was when there was CSV only, kept in `bench/former_csv.py`.
- *XLSX level 6* is compressed for a mail, *level 1* for a link.
- *XlsxWriter* writes in its mode `constant_memory`, one call for each cell. It gets fewer rows; its time is scaled up.
- *peak MB* is the most memory the process held at once (VmHWM); *few rows* are {number(_few(formats))}.

{table(["aim", "measured", ""], aims)}

{table(head, _rows(formats))}"""


def _times(formats: FormatRuns) -> str:
    count = len(next(iter(formats.large.values())))
    return "once" if count == 1 else f"{count} times"


def _few(formats: FormatRuns) -> int:
    return next(iter(formats.small.values())).rows


def _rows(formats: FormatRuns) -> Iterator[list[str]]:
    for kind in formats.large:
        best, small = fastest(formats, kind), formats.small.get(kind)
        yield [
            f"`{kind}`" if kind == "csv.writer" else kind,
            number(best.rows),
            f"{best.seconds_of_a_million:.2f}",
            f"{of_csv_module(formats, kind):.2f}",
            f"{best.file_bytes / _MB:.1f}",
            f"{best.peak_bytes / _MB:.1f}",
            f"{small.peak_bytes / _MB:.1f}" if small else "",
        ]
