"""What a person sees of an import under way: how the file is read, and a bar on a terminal."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from memberships_api.csv_files.dialect import Dialect
from memberships_api.importing import Watcher
from memberships_export.entrypoints.cli.output import complain, visible

_EVERY = 1000  # rows; drawing takes longer than reading one


class ShownImport(Watcher):
    """Says how the file is read, and moves the bar if there is one."""

    def __init__(self, name: str, progress: Progress | None) -> None:
        self._name = name
        self._progress = progress
        self._reading = self._task("Reading")
        self._adding = self._task("Adding")
        self._rows = 0

    def reads_as(self, dialect: Dialect) -> None:
        """Tell what was guessed."""
        if told := dialect.told(self._name):
            complain(visible(told))

    def reading(self, read: int, size: int | None) -> None:
        """Move the bar with the bytes."""
        self._rows += 1
        if self._rows % _EVERY == 1:
            self._show(self._reading, f"{self._rows:,} rows", completed=read, total=size)

    def adding(self, added: int) -> None:
        """Move the bar with the rows."""
        self._show(self._reading, f"{self._rows:,} rows", completed=1, total=1)
        self._show(self._adding, f"{added:,} new rows", completed=added, total=self._rows)

    def committing(self) -> None:
        """Let nobody think that nothing was imported when it was."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _task(self, name: str) -> TaskID | None:
        return self._progress.add_task(name, total=None, said="") if self._progress else None

    def _show(self, task: TaskID | None, said: str, completed: int, total: int | None) -> None:
        if self._progress and task is not None:
            self._progress.update(task, completed=completed, total=total, said=said)


@contextmanager
def shown(name: str, console: Console, *, as_json: bool) -> Iterator[ShownImport]:
    """Show an import on a terminal; elsewhere only what has to be told."""
    columns = (TextColumn("{task.description:<8}"), BarColumn(), TextColumn("{task.fields[said]}", markup=False))
    draws = console.is_terminal and not as_json
    bar = Progress(*columns, TimeElapsedColumn(), console=console, transient=True) if draws else nullcontext()
    before = signal.getsignal(signal.SIGINT)
    try:
        with bar as progress:
            yield ShownImport(name, progress)
    finally:
        signal.signal(signal.SIGINT, before)
