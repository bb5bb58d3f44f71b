"""The log of a service process: stderr, one line per event, and no flood about one cause."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from memberships_export.logs.formats import LogFormat, formatter

_OURS = "memberships_export"
_LINES_A_SECOND = 5  # about one cause
_LEFT_OUT = "event=left_out lines=%d like=%s"


class Damping(logging.Filter):
    """Lets a few lines a second about one cause through, and tells how many were left out.

    A count is told with the first line of a later second, whatever that is about.
    """

    def __init__(self, tell: Callable[[logging.LogRecord], None]) -> None:
        """`tell`: writes the line with a count."""
        super().__init__()
        self._tell = tell
        self._lock = threading.Lock()
        self._second = 0
        self._lines: dict[tuple[str, int, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to write the record. It goes by the record's own time."""
        cause = _cause(record)
        with self._lock:
            before = self._next_second(int(record.created))
            count = self._lines[cause] = self._lines.get(cause, 0) + 1
        for (name, level, text), lines in before.items():
            if lines > _LINES_A_SECOND:
                self._tell(_left_out(name, level, text, lines - _LINES_A_SECOND))
        return count <= _LINES_A_SECOND

    def _next_second(self, second: int) -> dict[tuple[str, int, str], int]:
        if second == self._second:
            return {}
        ended, self._second, self._lines = self._lines, second, {}
        return ended


def _cause(record: logging.LogRecord) -> tuple[str, int, str]:
    """Say what a line is about.

    What goes well is told for each export, so lines of ours with different facts are different causes. Of what goes
    wrong the facts are left aside: a full disk is one cause for all exports. Libraries write facts into the text.
    """
    if record.name.partition(".")[0] != _OURS:
        text = ""
    else:
        text = record.getMessage() if record.levelno < logging.WARNING else str(record.msg)
    return record.name, record.levelno, text


def _left_out(name: str, level: int, text: str, lines: int) -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 0, _LEFT_OUT, (lines, text or "any of this logger"), None)


def _write(handler: logging.Handler, record: logging.LogRecord) -> None:
    handler.acquire()
    try:
        handler.emit(record)
    finally:
        handler.release()


def to_stderr(log_format: LogFormat) -> None:
    """Log everything of ours from INFO on, of libraries from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(log_format))
    handler.addFilter(Damping(partial(_write, handler)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
