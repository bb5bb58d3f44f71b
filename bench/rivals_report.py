"""What was measured beside others, as sections of docs/benchmarks.md."""

from collections.abc import Iterator, Sequence
from statistics import median

from bench.aims import number
from bench.results import Load, Measured
from bench.rival_results import COPY, CURSOR, JOB, OURS_ARRAYS, PSQL, AcceptingRuns, BacklogRuns, Turn, WholeRuns
from bench.rivals_aims import Figure, figures, times_faster, times_more
from bench.rivals_words import about_backlog, about_whole
from bench.tables import table

_MB = 1_000_000


def figures_section(measured: Measured) -> str:
    """Write the figures and their aims."""
    return f"""\
## Figures beside others

Each is of this run: a median, but for memory, which is the most, and the longest export, which ran once. *Load* is the
load average of the last minute, when the measurement began and when it ended: what ran just before counts, and so do
our own processes. A figure that falls short is written as it is.

{table(["figure", "aim", "measured", "load", ""], map(_figure_row, figures(measured)))}"""


def whole_section(whole: WholeRuns) -> str:
    """Write the whole exports."""
    return f"""\
## Whole exports with PostgreSQL, and what others write for them

All memberships of one user; PostgreSQL on this machine, with its own settings and durability, holds the users of all
sizes. Everybody takes turns, and each file is on disk (fsync) when the clock stops. The table shows medians, and of
memory the most.

- *ours* is an export by a fresh worker with one thread, by `GET /memberships` of the bundled API: from the claim to the
  accepted mail.
- *{OURS_ARRAYS}* is the same where the API may send each page as arrays beside the names of the columns, which a
  profile asks for (`encoding = "arrays"`).
- *{COPY}* is `COPY (SELECT …) TO STDOUT (FORMAT csv)` by psycopg; *{PSQL}* by PostgreSQL's own client.
- *{CURSOR}* fetches 5 000 rows at a time.
- *{JOB}* asks the same API for the same pages by httpx, and writes them with `json` and `csv.writer`: no queue, no
  mail.
- *÷ ours* is their time by ours: below 1 they are the faster ones.
- *CPU s* is the processor time of all processes: API, database, and whoever makes the file. *peak MB* is the most
  memory that whoever makes the file held at once (for `psql`: the Python that starts it).
- Checked: every cell of the first file of each, against each other; the size of the others.

{table(["rows", "who", "s", "÷ ours", "CPU s", "peak MB"], _whole_rows(whole))}

{about_whole(whole)}"""


def backlog_section(backlog: BacklogRuns) -> str:
    """Write the small exports."""
    return f"""\
## A backlog, and the queues of others

{number(backlog.exports)} exports of {backlog.rows} rows, each of another user, wait; then workers start, four in all.
All fetch from the same `memberships-export api`. The time is from the begin of the first export to the last mail.
Everybody takes turns, and the table shows medians; RQ, the slowest, has one turn.

- *ours* are exports that users asked `memberships-export api` for, worked off by `memberships-export worker`: one
  process of four threads, or two of two (`--workers 2`).
- The others run a job that fetches by httpx, writes with `csv.writer`, makes the mail with `email.message`, and has
  file and mail on disk (two fsyncs). RQ and Celery keep jobs in Redis with `appendfsync always`; Celery acknowledges
  late. huey keeps them in SQLite with fsync. Each has four workers.
- *ours ÷ theirs* compares exports per second: above 1 we are the faster ones.
- *CPU ms* is the processor time of all processes for each export, the start of the workers included.
- Checked: one mail for each export, and every cell of its attachment.

{table(["who", "s", "exports/s", "ours ÷ theirs", "CPU ms"], _backlog_rows(backlog))}

{about_backlog(backlog)}"""


def accepting_section(accepting: AcceptingRuns) -> str:
    """Write how fast exports are accepted."""
    rows = [
        _turns_row("accepting", accepting.accepting, accepting.ratio),
        _turns_row("empty route", accepting.empty, 1),
    ]
    return f"""\
## Accepting

`memberships-export api` answers `GET /memberships/export`, over 8 connections that are never idle: each of {
        number(accepting.accepting[0].requests)
    } requests
is of another user, with a token of their own, and makes a record and a message, on disk before the answer. In turns
with it, the same server answers an `async` route that does nothing. The table shows medians of {
        len(accepting.accepting)
    } turns;
*÷ empty* is the median of their ratios. An accepted request takes {
        median(accepting.processor) * 1000:.2f} ms of the processor.

{table(["", "requests/s", "p50 ms", "p99 ms", "÷ empty"], rows)}"""


def _turns_row(name: str, turns: Sequence[Turn], ratio: float) -> list[str]:
    milliseconds = (median(turn.p50 for turn in turns) * 1000, median(turn.p99 for turn in turns) * 1000)
    return [
        name,
        number(round(median(turn.rate for turn in turns))),
        *(f"{value:.1f}" for value in milliseconds),
        f"{ratio:.2f}",
    ]


def _figure_row(figure: Figure) -> list[str]:
    verdict = {True: "met", False: "**missed**", None: "not measured"}[figure.met]
    return [figure.text, figure.aim, figure.measured, _load(figure.load), verdict]


def _load(load: Load | None) -> str:
    return f"{load.before:.1f} to {load.after:.1f}" if load else ""


def _whole_rows(whole: WholeRuns) -> Iterator[list[str]]:
    for size in (*whole.sizes, *([whole.longest] if whole.longest else [])):
        for who, runs in size.runs.items():
            yield [
                number(size.rows),
                who,
                f"{median(run.seconds for run in runs):.2f}",
                f"{times_faster(size, who):.2f}",
                f"{median(run.processor_seconds for run in runs):.2f}",
                f"{max(run.peak_bytes for run in runs) / _MB:.1f}",
            ]


def _backlog_rows(backlog: BacklogRuns) -> Iterator[list[str]]:
    for who, runs in backlog.runs.items():
        seconds, processor = median(run.seconds for run in runs), median(run.processor_seconds for run in runs)
        yield [
            who,
            f"{seconds:.2f}",
            f"{backlog.exports / seconds:.1f}",
            f"{times_more(backlog, who):.2f}",
            f"{processor / backlog.exports * 1000:.1f}",
        ]
