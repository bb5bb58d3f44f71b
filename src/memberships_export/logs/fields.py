"""What a log line says, as named fields: a call's text is the form, `export=%s event=waiting reason=%s`."""

import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

Value = str | int | float | bool
_PLACE = r"%(?:\.\d+)?[sdf]"
_FIELD = re.compile(rf"([a-z][a-z0-9_]*)=({_PLACE}|[a-z0-9_]+)(?: |$)")
_REASON = "reason="
_FORMS = 512  # kept; there are about a hundred


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of one call, in order: name, and the fixed value or the place of one. `reason` takes the rest."""

    fields: tuple[tuple[str, str], ...]
    reason: str | None  # its text, in which there may be places too


@lru_cache(_FORMS)
def form_of(text: str) -> Form | None:
    """Read the text of a call; None when it is not one of ours: fields in a row, `event` one of them."""
    at, fields = 0, []
    while at < len(text) and not text.startswith(_REASON, at):
        found = _FIELD.match(text, at)
        if found is None:
            return None
        fields.append((found[1], found[2]))
        at = found.end()
    if not any(name == "event" for name, _ in fields):
        return None
    return Form(tuple(fields), text[at + len(_REASON) :] if at < len(text) else None)


def fields_of(record: logging.LogRecord) -> Mapping[str, Value]:
    """Return what the record says. A line that is not in our form, as those of libraries, is one field: `text`."""
    form = form_of(record.msg) if isinstance(record.msg, str) else None
    arguments = record.args if isinstance(record.args, tuple) else ()
    try:
        return _filled(form, arguments) if form else {"text": record.getMessage()}
    except (IndexError, TypeError, ValueError):  # a call with other arguments than places: nothing of it gets lost
        return {"text": f"{record.msg} {record.args}"}


def _filled(form: Form, arguments: tuple[object, ...]) -> dict[str, Value]:
    rest = list(arguments)
    filled = {name: _value(said, rest) for name, said in form.fields}
    if form.reason is not None:
        filled["reason"] = form.reason % tuple(rest) if rest or "%%" in form.reason else form.reason
    elif rest:
        raise ValueError(rest)
    return filled


def _value(said: str, arguments: list[object]) -> Value:
    """Take the next argument where the form has a place. Numbers and truths stay what they are."""
    if not said.startswith("%"):
        return said
    value = arguments.pop(0)
    if said != "%s":
        number = float(said % value) if said.endswith("f") and not said.startswith("%.0") else int(said % value)
        return number if math.isfinite(number) else str(number)
    return value if isinstance(value, bool | int) else str(value)
