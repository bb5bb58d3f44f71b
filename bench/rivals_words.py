"""What is said of each rival: where it wins, as it was measured, and what it does not do."""

from collections.abc import Callable, Iterable, Mapping
from statistics import median

from bench.aims import number
from bench.queues import CELERY, HUEY, RQ_FORK, RQ_SIMPLE
from bench.rival_results import COPY, CURSOR, JOB, OURS, PSQL, BacklogRuns, WholeRuns, WholeSize
from bench.rivals_aims import times_faster, times_more

_NO_API = (
    "It is let into the database, which our exports never are: who asks, and which rows are theirs, it believes. "
    "A run that is cut off begins anew and leaves half a file. Cells that a spreadsheet would take for formulas stay "
    "as they are, and nobody gets a mail."
)
_JOB = (
    "The file and the mail are durable, nothing else is: there is no record that says what was asked for and what "
    "became of it. Rows are not checked, so that a wrong or short answer of the API is mailed as if it were whole. "
    "A job that runs a second time mails a second time."
)
_LACKS: Mapping[str, str] = {
    COPY: _NO_API,
    PSQL: _NO_API,
    CURSOR: _NO_API,
    JOB: (
        "It asks the same API for the same pages, and believes them: no check of owner, keys, order or total. A run "
        "that is cut off begins with the first page again. There is no mail in this figure, and no queue."
    ),
    RQ_FORK: f"{_JOB} A job whose worker dies counts as failed, unless it was given retries.",
    RQ_SIMPLE: f"{_JOB} A job that crashes takes its worker with it.",
    CELERY: (
        f"{_JOB} A job whose process is killed counts as done, unless `task_reject_on_worker_lost` is set; one whose "
        "machine is lost comes again after an hour (`visibility_timeout`)."
    ),
    HUEY: f"{_JOB} A job is taken out of the queue before it runs: one whose process dies is lost.",
}


def about_whole(whole: WholeRuns) -> str:
    """Tell of each who made the large files, in the order of the table."""
    told = [f"- **{who}**: {_wins_with(whole, who)} {_LACKS[who]}" for who in _LACKS if _ran(whole, who)]
    return "\n".join([*told, *_missing(whole.missing)])


def about_backlog(backlog: BacklogRuns) -> str:
    """Tell of each queue, in the order of the table."""
    told = [f"- **{who}**: {_wins_over(backlog, who)} {_LACKS[who]}" for who in _LACKS if who in backlog.runs]
    return "\n".join([*told, *_missing(backlog.missing)])


def _wins_with(whole: WholeRuns, who: str) -> str:
    won = [size for size in whole.sizes if times_faster(size, who) < 1]
    where = ", ".join(f"{number(size.rows)} rows ({1 / times_faster(size, who):.1f} times as fast)" for size in won)
    largest = whole.sizes[-1]
    return (
        f"{f'it wins at {where}' if won else 'it wins at no size'}. At {number(largest.rows)} rows it takes "
        f"{_of_ours(largest, who, 'processor_seconds', median):.2f} times our processor time and "
        f"{_of_ours(largest, who, 'peak_bytes', max):.2f} times our memory."
    )


def _wins_over(backlog: BacklogRuns, who: str) -> str:
    more = times_more(backlog, who)
    return (
        f"it wins, {1 / more:.1f} times as fast." if more < 1 else f"it does not win: we are {more:.1f} times as fast."
    )


def _of_ours(size: WholeSize, who: str, name: str, of_all: Callable[[Iterable[float]], float]) -> float:
    theirs, ours = (of_all(getattr(run, name) for run in size.runs[one]) for one in (who, OURS))
    return float(theirs / ours)


def _ran(whole: WholeRuns, who: str) -> bool:
    return any(who in size.runs for size in whole.sizes)


def _missing(missing: Mapping[str, str]) -> list[str]:
    return [f"- **{who}** did not run: {why}." for who, why in missing.items()]
