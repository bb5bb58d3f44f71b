import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.logs.about import about
from memberships_export.logs.formats import LogFormat, formatter
from tests.log_lines import read_line

FORMATS: tuple[LogFormat, ...] = ("text", "json")
either = pytest.mark.parametrize("log_format", FORMATS)


def a_record(text: str, *arguments: object, name: str = "ours", broken: bool = False) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.WARNING, "", 0, text, arguments, sys.exc_info() if broken else None)
    record.created, record.msecs = 1_764_201_600.25, 250.0
    return record


def written(log_format: LogFormat, record: logging.LogRecord) -> str:
    return formatter(log_format).format(record)


def test_text_quotes_what_is_more_than_one_word() -> None:
    record = a_record("export=%s event=waiting reason=%s", "e-1", 'It said "no".\r\nlevel=INFO')
    assert written("text", record) == (
        "2025-11-27T00:00:00.250Z WARNING ours "
        r'export=e-1 event=waiting reason="It said \"no\".\r\nlevel=INFO"'
    )


def test_json_names_time_level_logger_and_event_first_and_keeps_numbers() -> None:
    record = a_record("export=%s seconds=%.3f clean=%s event=stage_done", "e-1", 0.1236, bool(1))
    assert written("json", record) == (
        '{"time":"2025-11-27T00:00:00.250Z","level":"WARNING","logger":"ours","event":"stage_done",'
        '"export":"e-1","seconds":0.124,"clean":true}'
    )


@either
@given(value=st.text(st.characters()))
def test_whatever_a_value_holds_the_line_is_one_line_and_is_read_back(log_format: LogFormat, value: str) -> None:
    line = written(log_format, a_record("export=%s event=waiting reason=%s", "e-1", value))
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert read_line(line)["reason"] == value


@either
def test_a_line_of_a_library_is_one_text(log_format: LogFormat) -> None:
    line = written(log_format, a_record("socket.accept() failed:\n event=%s", "forged"))
    assert read_line(line)["text"] == "socket.accept() failed:\n event=forged"
    assert "event" not in read_line(line)


@either
def test_a_traceback_is_one_field(log_format: LogFormat) -> None:
    try:
        json.loads("{")
    except ValueError:
        line = written(log_format, a_record("export=%s event=internal_error", "e-1", broken=True))
    assert "\n" not in line
    traceback = str(read_line(line)["traceback"])
    assert traceback.startswith("Traceback (most recent call last):\n")
    assert "JSONDecodeError" in traceback


@either
def test_a_line_names_the_export_and_the_request_in_hand(log_format: LogFormat) -> None:
    record = a_record("by=%s event=refused reason=%s", "memberships_api", "No.")
    with about(export="e-1", request="r-1"):
        line = read_line(written(log_format, record))
    assert (line["export"], line["request"], line["by"]) == ("e-1", "r-1", "memberships_api")
    assert "request" not in read_line(written(log_format, record))


@either
def test_what_a_line_says_itself_is_not_said_twice(log_format: LogFormat) -> None:
    with about(export="e-1"):
        line = written(log_format, a_record("export=%s event=claimed", "e-1"))
    assert line.count("e-1") == 1


@either
def test_a_call_with_wrong_arguments_loses_nothing(log_format: LogFormat) -> None:
    line = read_line(written(log_format, a_record("export=%s event=claimed", "e-1", "more")))
    assert "e-1" in str(line["text"])
    assert "more" in str(line["text"])


@either
def test_lines_of_a_function_name_the_invocation(log_format: LogFormat) -> None:
    record = a_record("event=sweep oldest_unfinished_seconds=%d", 31)
    record.aws_request_id = "i-1"
    assert read_line(written(log_format, record))["invocation"] == "i-1"
