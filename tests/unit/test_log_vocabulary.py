"""Every line that the code can write is in the vocabulary, and docs/logs.md shows the vocabulary."""

import logging

import pytest

from memberships_export.logs.formats import formatter
from memberships_export.logs.vocabulary import EVENTS, LogEvent
from tests.log_calls import SRC, LogCall, log_calls
from tests.log_lines import read_line

CALLS = log_calls()
ALWAYS_THERE = {"time", "level", "logger", "event", "request", "invocation", "traceback", "text"}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_every_call_writes_an_event_of_the_vocabulary_with_its_level_and_fields(call: LogCall) -> None:
    known = {event.name: event for event in EVENTS}

    assert call.event in known, "memberships_export/logs/vocabulary.py: add it"
    event = known[call.event]
    assert call.level is None or call.level in event.levels.split()
    assert call.fields <= set(event.fields.split())


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_every_event_of_the_vocabulary_is_written_somewhere(event: LogEvent) -> None:
    calls = [call for call in CALLS if call.event == event.name]

    assert calls, "nobody writes it"
    assert {call.level for call in calls if call.level} == set(event.levels.split())
    assert set().union(*(call.fields for call in calls)) == set(event.fields.split())
    assert not set(event.fields.split()) & ALWAYS_THERE, "such a field would hide one that each line has"


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.where)
def test_every_line_of_a_call_is_read_back_from_text_and_from_json(call: LogCall) -> None:
    places = call.text.count("%") - 2 * call.text.count("%%")
    numbers = {"d", "f"} & {part[0] for part in call.text.replace("%.0", "%").replace("%.3", "%").split("%")[1:]}
    arguments = tuple(7 for _ in range(places)) if numbers else tuple('a "b"\r\n=c\\' for _ in range(places))
    record = logging.LogRecord("a.logger", logging.ERROR, "", 0, call.text, arguments, None)

    text, as_json = (read_line(formatter(form).format(record)) for form in ("text", "json"))
    assert set(text) - {"time", "level", "logger"} == call.fields | {"event"}
    assert text == {name: str(value) for name, value in as_json.items()}


def test_the_page_about_logs_shows_the_vocabulary() -> None:
    rows = "\n".join(_row(event) for event in EVENTS)
    page = (SRC.parent / "docs" / "logs.md").read_text(encoding="utf-8")
    assert rows in page, f"docs/logs.md, the table of events must be:\n{rows}"


def _row(event: LogEvent) -> str:
    levels, fields = (told.replace(" ", ", ") for told in (event.levels, event.fields))
    return f"| `{event.name}` | {levels or '-'} | {fields} | {event.meaning} |"
