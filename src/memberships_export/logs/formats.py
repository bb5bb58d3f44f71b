"""How a log line is written: as text that people read and programs can split, or as JSON. Always one line."""

import json
import logging
import time
from collections.abc import Mapping
from typing import Literal

from memberships_export.logs.about import in_hand
from memberships_export.logs.fields import Value, fields_of

LogFormat = Literal["text", "json"]
_SECOND = "%Y-%m-%dT%H:%M:%S"


class TextLines(logging.Formatter):
    """Time in UTC, level, logger, then `name=value`. What is more than a word is quoted as in JSON."""

    def __init__(self, end: str = "") -> None:
        """`end`: what stands behind each line, where the handler writes none."""
        super().__init__()
        self._end = end

    def format(self, record: logging.LogRecord) -> str:
        """Write a line."""
        said = " ".join(f"{name}={quoted(value)}" for name, value in _all_of(self, record).items())
        return f"{_time(record)} {record.levelname} {record.name} {said}{self._end}"


class JsonLines(logging.Formatter):
    """One JSON object for each line, in ASCII: time, level, logger and event first."""

    def __init__(self, end: str = "") -> None:
        """`end`: what stands behind each line, where the handler writes none."""
        super().__init__()
        self._end = end

    def format(self, record: logging.LogRecord) -> str:
        """Write a line."""
        said = _all_of(self, record)
        first: dict[str, Value] = {"time": _time(record), "level": record.levelname, "logger": record.name}
        first |= {"event": said["event"]} if "event" in said else {}
        return json.dumps({**first, **said}, separators=(",", ":")) + self._end


def formatter(log_format: LogFormat, end: str = "") -> logging.Formatter:
    """Make what writes lines in this format."""
    return JsonLines(end) if log_format == "json" else TextLines(end)


def quoted(value: Value) -> str:
    """Write a value of a text line: as it is where it is one plain word, else as a JSON string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if text and text.isprintable() and not any(mark in text for mark in ' "=\\'):
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    """Let through what can be printed; no line ends, whatever a terminal or a reader of logs takes for one."""
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _all_of(form: logging.Formatter, record: logging.LogRecord) -> Mapping[str, Value]:
    """Return what the line says, what it is about, and how it came to it."""
    said = {**fields_of(record)}
    said |= {name: value for name, value in in_hand().items() if name not in said}
    invocation = getattr(record, "aws_request_id", None)  # as the lines of Lambda itself name it
    if invocation:
        said["invocation"] = str(invocation)
    if record.exc_info:
        said["traceback"] = form.formatException(record.exc_info)
    return said


def _time(record: logging.LogRecord) -> str:
    return f"{time.strftime(_SECOND, time.gmtime(record.created))}.{int(record.msecs):03d}Z"
