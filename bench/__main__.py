"""`python -m bench`: measure the service on this machine and write docs/benchmarks.md."""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from os import getloadavg
from pathlib import Path

from bench.accepting import measure_accepting
from bench.backlog import measure_backlog
from bench.desk import measure_desk
from bench.exports import measure_exports
from bench.formats import measure_formats
from bench.functions import measure_functions
from bench.latency import measure_latency
from bench.machine import revision, this_machine
from bench.reading import measure_reading
from bench.report import report
from bench.results import Load, Measured
from bench.scrapes import measure_scrapes
from bench.small_parts import measure_small_parts
from bench.startup import measure_startup
from bench.whole import measure_whole

_CHECKOUT = Path(__file__).parents[1]
_SIZES = (10_000, 100_000, 1_000_000)
_STARTUP_ROUNDS = 5
_PAGE_ROUNDS = 51
_FORMAT_ROUNDS = 2
_SCRAPES = 51
_LISTS = 51
_TURNS = 100


def main() -> None:
    """Measure everything, then write the report once: a run that fails leaves the old one alone."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="memberships-export-bench-", dir=options.folder) as folder:
        text = report(_measure(options, Path(folder)))
    if out := _target(options):
        out.write_text(text, encoding="utf-8")
        _tell(f"Written: {out}")
    else:
        print(text, end="")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default=_SIZES, help="rows of the large exports, such as 1000,2000")
    parser.add_argument("--repeat", type=_count, default=3, help="how often each size is exported (default: 3)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the small exports, to try the measurement")
    parser.add_argument(
        "--no-longest", action="store_true", help="no export of three times the rows of the largest size"
    )
    parser.add_argument("--folder", type=Path, help="where to measure; default: the folder for temporary files")
    parser.add_argument("--out", type=Path, help="write there; default: docs/benchmarks.md for a full run, else print")
    return parser.parse_args()


def _measure(options: argparse.Namespace, folder: Path) -> Measured:
    small, sizes, repeat = 10 if options.quick else 1, options.sizes, options.repeat
    longest = None if options.no_longest else 3 * sizes[-1]
    date = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    loads: dict[str, Load] = {}

    @contextmanager
    def measuring(name: str, told: str) -> Iterator[None]:
        _tell(f"{told} …")
        before = getloadavg()[0]
        yield
        loads[name] = Load(before, getloadavg()[0])

    with measuring("startup", f"Start-up, {_STARTUP_ROUNDS} rounds"):
        startup = measure_startup(folder, _STARTUP_ROUNDS)
    with measuring("reading", f"Reading by a profile, {_PAGE_ROUNDS} pages"):
        reading = measure_reading(rows=5000, repeat=_PAGE_ROUNDS, keys=1_000_000 // small)
    with measuring("formats", f"Formats, {_FORMAT_ROUNDS} rounds"):
        formats = measure_formats(small=10_000, large=1_000_000 // small, repeat=_FORMAT_ROUNDS)
    with measuring("latency", f"From request to mail, {200 // small} exports"):
        latency = measure_latency(folder, 200 // small)
    with measuring("backlog", f"A backlog of {1000 // small} exports, ours and others', {repeat} times"):
        backlog = measure_backlog(folder, 1000 // small, repeat)
    with measuring("accepting", f"Accepting, {2000 // small} requests in each turn"):
        accepting = measure_accepting(folder, 2000 // small)
    with measuring("scrapes", f"Metrics, {_SCRAPES} answers"):
        scrapes = measure_scrapes(folder / "scrapes", 100_000 // small, processes=4, repeat=_SCRAPES)
    with measuring("desk", f"Lists for operators, {_LISTS} of each"):
        desk = measure_desk(folder / "desk", 100_000 // small, _LISTS)
    with measuring("parts", f"Parts of a small export, {_TURNS // small} turns"):
        parts = measure_small_parts(folder, _TURNS // small)
    with measuring("whole", f"Exports of {_rows(sizes)} rows with PostgreSQL, ours and others', {repeat} times"):
        whole = measure_whole(folder, sizes, longest, repeat)
    with measuring("sizes", f"Exports of {_rows(sizes)} rows with SQLite, each {repeat} times"):
        exports = measure_exports(folder, sizes, repeat)
    with measuring("functions", f"The function on a simulated AWS, {_STARTUP_ROUNDS} rounds and {sizes[-1]} rows"):
        functions = measure_functions(folder / "functions", _STARTUP_ROUNDS, sizes[-1])
    return Measured(
        date=date,
        revision=revision(_CHECKOUT),
        command=shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
        machine=this_machine(folder),
        loads=loads,
        sizes=exports,
        whole=whole,
        latency=latency,
        backlog=backlog,
        accepting=accepting,
        startup=startup,
        reading=reading,
        formats=formats,
        functions=functions,
        scrapes=scrapes,
        desk=desk,
        parts=parts,
    )


def _rows(sizes: Sequence[int]) -> str:
    return ", ".join(map(str, sizes))


def _target(options: argparse.Namespace) -> Path | None:
    """Only a full run may replace the report of a full run, unless somebody says so."""
    full = options.sizes == _SIZES and not options.quick and not options.no_longest
    return options.out or (_CHECKOUT / "docs" / "benchmarks.md" if full else None)


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(_count(part) for part in text.split(","))
    if list(sizes) != sorted(set(sizes)):
        raise argparse.ArgumentTypeError(f"{text} does not rise: give each size once, the smallest first.")
    return sizes


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0.")
    return int(text)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
