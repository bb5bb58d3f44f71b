"""Following an export to its end: bars on a terminal, lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from memberships_export.domain.export.record import ExportStatus, Stage
from memberships_export.entrypoints.cli.ask.answers import Answer, has_completed, has_ended, in_a_line, rows_fetched
from memberships_export.entrypoints.cli.output import say

Show = Callable[[Answer], None]
_BARS_WIDTH = 60  # characters; below that the lines of the bars would break
_STAGES = tuple(Stage)


def answers(
    read: Callable[[], Answer], seconds: float = 0.5, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Answer]:
    """Read again and again until the export has ended."""
    while True:
        answer = read()
        yield answer
        if has_ended(answer):
            return
        sleep(seconds)


def follow(stream: Iterable[Answer], view: AbstractContextManager[Show]) -> Answer:
    """Show each answer; return the last one."""
    last: Answer = {}
    with view as show:
        for last in stream:
            show(last)
    return last


def view_for_this_terminal() -> AbstractContextManager[Show]:
    """Choose bars where they can be drawn and erased, else lines."""
    console = Console(stderr=True)
    roomy = console.is_interactive and console.width >= _BARS_WIDTH
    return bars(console) if roomy and sys.stdout.isatty() else lines()


@contextmanager
def silence() -> Iterator[Show]:
    """Show nothing."""
    yield lambda _answer: None


@contextmanager
def lines() -> Iterator[Show]:
    """Print a line whenever something changed; while rows are fetched, at each tenth of them."""
    shown: list[object] = []

    def show(answer: Answer) -> None:
        now = _tenth(answer), answer.get("status"), answer.get("stage"), answer.get("trouble")
        if [now] != shown:
            shown[:] = [now]
            say(in_a_line(answer))

    yield show


def _tenth(answer: Answer) -> int:
    rows, total = rows_fetched(answer)
    return rows * 10 // total if total else rows


@contextmanager
def bars(console: Console) -> Iterator[Show]:
    """Draw one bar per stage, and what the export waits for."""
    columns = (TextColumn("{task.description:<8}"), BarColumn(), TextColumn("{task.fields[said]}", markup=False))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        tasks = {stage: progress.add_task(stage, total=1, said="", start=False) for stage in _STAGES}

        def show(answer: Answer) -> None:
            for stage in _STAGES:
                _draw(progress, tasks[stage], stage, answer)

        yield show


def _draw(progress: Progress, task: TaskID, stage: Stage, answer: Answer) -> None:
    """Bring one stage's bar up to date; the API counts rows, so only fetching has a share that is known."""
    rows, total = rows_fetched(answer)
    said = f"{rows:,} of {total:,} rows" if total is not None else f"{rows:,} rows"
    said = said if stage is Stage.FETCH else ""
    if _is_past(stage, answer):
        progress.start_task(task)
        progress.update(task, total=1, completed=1, said=said)
        progress.stop_task(task)
    elif answer.get("stage") == stage and answer.get("status") != ExportStatus.QUEUED:
        progress.start_task(task)
        share = rows / total if stage is Stage.FETCH and total else None
        progress.update(task, total=None if share is None else 1, completed=share or 0, said=_note(answer) or said)


def _is_past(stage: Stage, answer: Answer) -> bool:
    if has_completed(answer):
        return True
    current = answer.get("stage")
    return current in _STAGES and _STAGES.index(stage) < _STAGES.index(Stage(current))


def _note(answer: Answer) -> str:
    return in_a_line(answer) if answer.get("status") == ExportStatus.WAITING else ""
