"""The kinds of file: the same rows in each of them, by a process of its own each time."""

import subprocess
import sys

import msgspec

from bench.one_file import KINDS
from bench.results import FileRun, FormatRuns

_SLOW = {"XlsxWriter": 20_000}  # takes so long that it gets no more rows


def measure_formats(small: int, large: int, repeat: int) -> FormatRuns:
    """Write files of so many rows, whole pages of 5000: all kinds in turn, again and again."""
    rounds = [{kind: _file(kind, min(large, _SLOW.get(kind, large))) for kind in KINDS} for _ in range(repeat)]
    return FormatRuns(
        large={kind: tuple(files[kind] for files in rounds) for kind in KINDS},
        small={kind: _file(kind, small) for kind in KINDS if kind not in _SLOW},
    )


def _file(kind: str, rows: int) -> FileRun:
    command = [sys.executable, "-m", "bench.one_file", kind, str(rows)]
    done = subprocess.run(command, check=True, capture_output=True)
    return msgspec.json.decode(done.stdout, type=FileRun)
