"""The log of a service process: stderr, one line per event."""

import logging
import time

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"


class _OneLine(logging.Formatter):
    """Keeps tracebacks, and whatever a message quotes, on the event's own line."""

    @staticmethod
    def converter(seconds: float | None) -> time.struct_time:
        return time.gmtime(seconds)

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")


def formatter() -> logging.Formatter:
    """Make the format: time in UTC, level, logger, message."""
    return _OneLine(_FORMAT, "%Y-%m-%dT%H:%M:%S")


def to_stderr() -> None:
    """Log everything of ours from INFO on, of libraries from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("memberships_export").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
