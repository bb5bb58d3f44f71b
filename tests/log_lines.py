"""Reading a line of the log, in either format, as a program would."""

import json
import re

_PAIR = re.compile(r'([a-z][a-z0-9_]*)=("(?:[^"\\]|\\.)*"|[^\s"=\\]+)(?: |$)')


def read_line(line: str) -> dict[str, object]:
    """Return all that is in a line; the values of a text line are texts. Raises ValueError for what is no line."""
    if line.startswith("{"):
        return dict(json.loads(line))
    time, level, logger, said = line.split(" ", 3)
    return {"time": time, "level": level, "logger": logger, **_pairs(said)}


def _pairs(said: str) -> dict[str, object]:
    at, found = 0, {}
    while at < len(said):
        pair = _PAIR.match(said, at)
        if pair is None:
            raise ValueError(said[at:])
        name, value = pair.groups()
        found[name] = json.loads(value) if value.startswith('"') else value
        at = pair.end()
    return found
