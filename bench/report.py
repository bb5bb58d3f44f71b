"""Measurements become docs/benchmarks.md: a pure function, so that the page can be tested without measuring."""

from collections.abc import Sequence
from statistics import median

from bench.aims import aims_of, number, peak_bytes, percentile, ratio_to_dump, typical
from bench.desk_report import desk_section
from bench.formats_report import formats_section
from bench.functions_report import functions_section
from bench.parts_report import parts_section
from bench.reading_report import reading_section
from bench.results import LatencyRuns, Machine, Measured, SizeRuns, StartupRuns
from bench.rivals_report import accepting_section, backlog_section, figures_section, whole_section
from bench.scrapes_report import scrapes_section
from bench.tables import table

_MB = 1_000_000


def report(measured: Measured) -> str:
    """Write the whole page."""
    sections = [
        _head(measured),
        figures_section(measured),
        whole_section(measured.whole),
        backlog_section(measured.backlog),
        accepting_section(measured.accepting),
        _exports(measured.sizes),
        _aims(measured.sizes),
        _latency(measured.latency),
        _startup(measured.startup),
        reading_section(measured.reading),
        formats_section(measured.formats),
        functions_section(measured.functions),
        scrapes_section(measured.scrapes),
        desk_section(measured.desk),
        parts_section(measured.parts),
        _REPEAT,
    ]
    return "\n\n".join(sections) + "\n"


def _head(measured: Measured) -> str:
    return f"""\
<!-- Written by `make bench`. Do not edit: the next run writes all of it anew. -->

# Benchmarks

What `make bench` measured, the figures that fall short included. Seconds of two machines cannot be compared; ratios
within one run can.

{_machine(measured)}"""


def _machine(measured: Measured) -> str:
    machine: Machine = measured.machine
    facts = [
        ("Measured on", measured.date),
        ("Git revision", measured.revision),
        ("Command", f"`{measured.command}`"),
        ("CPU", f"{machine.cpu}, {machine.cpus} of its threads"),
        ("Memory", f"{machine.memory_gb:.1f} GiB"),
        ("System", machine.system),
        ("Python", machine.python),
        ("SQLite", machine.sqlite),
        ("File system of the data", machine.filesystem),
    ]
    return table(["", ""], facts)


def _exports(sizes: Sequence[SizeRuns]) -> str:
    head = ["rows", "export s", "rows/s", "fetch s", "render s", "deliver s", "pages", "CSV MB", "peak MB"]
    dump_head = ["rows", "dump s", "dump rows/s", "export rows/s", "ratio"]
    return f"""\
## Large exports, and a plain dump beside them

All memberships of one user; the users of all sizes are in one SQLite file. `memberships-export api` serves them. For
each export a fresh `memberships-export worker` with one thread fetches, renders, and mails to the outbox folder. Each
size is exported {_times(len(sizes[0].exports))}; the table shows the export of median time.

- *export s* is from the claim to the accepted mail.
- *pages* is the number of calls to the memberships API.
- *peak MB* is the most memory the worker process held at once (VmHWM), in whichever export that was most.
- Checked each time: one mail; rows, size and SHA-256 of the downloaded file. Once for each size: every cell of it
  against the database.

{table(head, map(_export_row, sizes))}

The plain dump is `csv.writer.writerows` over a cursor: the same rows of the same table, all twelve columns, to a file
in the same folder, with one fsync at its end. No HTTP, no checks, no formula guard, no checkpoints, no mail. Dumps and
exports take turns; the fastest dump counts.

{table(dump_head, map(_dump_row, sizes))}"""


def _export_row(size: SizeRuns) -> list[str]:
    export = typical(size.exports)
    stages = [f"{export.stages[stage]:.2f}" for stage in ("fetch", "render", "deliver")]
    return [
        number(export.rows),
        f"{export.seconds:.2f}",
        _rate(export.rows, export.seconds),
        *stages,
        number(export.pages),
        f"{export.csv_bytes / _MB:.1f}",
        f"{peak_bytes(size) / _MB:.1f}",
    ]


def _dump_row(size: SizeRuns) -> list[str]:
    seconds = min(size.dump_seconds)
    export_rate = _rate(size.rows, typical(size.exports).seconds)
    return [
        number(size.rows),
        f"{seconds:.3f}",
        _rate(size.rows, seconds),
        export_rate,
        f"{ratio_to_dump(size):.3f}",
    ]


def _aims(sizes: Sequence[SizeRuns]) -> str:
    rows = [(aim.text, aim.measured, "met" if aim.met else "**missed**") for aim in aims_of(sizes)]
    return f"## Aims\n\n{table(['aim', 'measured', ''], rows)}"


def _latency(latency: LatencyRuns) -> str:
    times = latency.seconds
    values = [percentile(times, 50), percentile(times, 99), max(times)]
    return f"""\
## From the request to the mail

One `memberships-export serve` process; {number(len(times))} exports of {latency.rows} rows, one after the other, each
of another user. The time is from before the request is sent until the mail lies in the outbox folder (looked for every
millisecond). Checked: one mail for each export, and every cell of its attachment.

{table(["", "p50", "p99", "longest"], [["ms", *(f"{value * 1000:.1f}" for value in values)]])}"""


def _startup(startup: StartupRuns) -> str:
    rows = [
        (f"`{command}`", f"{median(times) * 1000:.0f}", f"{min(times) * 1000:.0f}", f"{max(times) * 1000:.0f}")
        for command, times in startup.seconds.items()
    ]
    rounds = len(next(iter(startup.seconds.values())))
    return f"""\
## Start-up

Wall time of the whole process, run {_times(rounds)} after one run that is not counted.

{table(["command", "median ms", "shortest", "longest"], rows)}"""


_REPEAT = """\
## How to repeat

```
make bench
```

It writes this page. It needs Linux (peak memory is read from `/proc`), about 6 GB of disk, ten minutes or so, and a
machine with nothing else to do. It installs the rivals into `.venv-bench`; RQ and Celery also need Redis, which comes
with the system (Debian and Ubuntu: `apt-get install redis-server`), and are left out without it. Smaller runs print
their report, or write it where `--out` says:

```
make bench ARGS="--sizes 1000,2000 --quick"
make bench ARGS="--sizes 1000,2000 --quick --out /tmp/benchmarks.md"
make bench ARGS="--help"
```"""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _rate(count: int, seconds: float) -> str:
    return number(round(count / seconds))
