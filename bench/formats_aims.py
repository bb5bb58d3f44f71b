"""What the kinds of file should reach, judged by what was measured."""

from bench.aims import Aim, number
from bench.results import FileRun, FormatRuns

MOST_XLSX_RATIO = 3.5
LEAST_XLSX_GAIN = 6
MOST_JSON_RATIO = 0.5
MOST_CSV_RATIO = 1.05  # two runs of the same differ by as much
MOST_FILE_GROWTH = 1.15


def aims_of_formats(formats: FormatRuns) -> list[Aim]:
    """Judge the writers."""
    spreadsheet, former = (fastest(formats, kind).seconds for kind in ("CSV spreadsheet", "CSV before options"))
    xlsx, json = (of_csv_module(formats, kind) for kind in ("XLSX level 1", "JSON Lines"))
    gain = of_csv_module(formats, "XlsxWriter") / xlsx
    return [
        Aim(
            f"CSV for spreadsheets: no slower than before there were options (at most {MOST_CSV_RATIO} times the time)",
            f"{spreadsheet / former:.2f} times",
            spreadsheet / former <= MOST_CSV_RATIO,
        ),
        Aim(
            f"XLSX, level 1: at most {MOST_XLSX_RATIO} times the time of `csv.writer`",
            f"{xlsx:.2f} times",
            xlsx <= MOST_XLSX_RATIO,
        ),
        Aim(
            f"XLSX, level 1: at least {LEAST_XLSX_GAIN} times as fast as XlsxWriter",
            f"{gain:.1f} times",
            gain >= LEAST_XLSX_GAIN,
        ),
        Aim(
            f"JSON Lines: at most {MOST_JSON_RATIO} times the time of `csv.writer`",
            f"{json:.2f} times",
            json <= MOST_JSON_RATIO,
        ),
        _memory_aim(formats),
    ]


def fastest(formats: FormatRuns, kind: str) -> FileRun:
    """Return the large file that took the least time."""
    return min(formats.large[kind], key=lambda file: file.seconds)


def of_csv_module(formats: FormatRuns, kind: str) -> float:
    """Compare the time of a kind with that of csv.writer, row by row."""
    return fastest(formats, kind).seconds_of_a_million / fastest(formats, "csv.writer").seconds_of_a_million


def _memory_aim(formats: FormatRuns) -> Aim:
    grown = {kind: _most_memory(formats, kind) / small.peak_bytes for kind, small in formats.small.items()}
    worst = max(grown, key=lambda kind: grown[kind])
    large, small = formats.large[worst][0].rows, formats.small[worst].rows
    return Aim(
        f"peak memory of each for {number(large)} rows: at most {MOST_FILE_GROWTH} times that for {number(small)}",
        f"{grown[worst]:.2f} times ({worst})",
        grown[worst] <= MOST_FILE_GROWTH,
    )


def _most_memory(formats: FormatRuns, kind: str) -> int:
    return max(file.peak_bytes for file in formats.large[kind])
