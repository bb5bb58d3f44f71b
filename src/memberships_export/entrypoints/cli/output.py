"""What commands print: answers on stdout, everything else on stderr, nothing that could steer the terminal."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import TextIO

from memberships_export.entrypoints.cli.exits import CommandError

_ADDRESS = re.compile(r"([^\s@\"'<>:,;])[^\s@\"'<>:,;]*@(?=\S)")


def prepare_streams() -> None:
    """Let no terminal break a command: a character it cannot show is escaped, and a closed stream takes everything."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _nowhere())
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print an answer. Flushed, so that whoever reads a pipe sees it at once.

    Raises BrokenPipeError when nobody reads any more, which ends a command without a word, and CommandError.
    """
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError as error:
        sys.stdout = _nowhere()  # what is left in the stream would fail once more when the process ends
        if isinstance(error, BrokenPipeError):
            raise
        raise CommandError(f"The answer cannot be written to the standard output: {error.strerror}.") from error


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123  (open until the process ends)


def complain(text: str) -> None:
    """Print what is wrong, or what a person may want to know beside the answer. Where nobody reads it, it is lost."""
    with suppress(OSError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def say_json(value: object) -> None:
    """Print JSON for scripts. ASCII only: it reads the same whatever the terminal's encoding."""
    say(json.dumps(value, indent=2))


def visible(value: object) -> str:
    """Return text as it may be shown: what came from outside must not move the cursor or hide itself."""
    text = "-" if value is None else str(value)
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def masked(value: object) -> object:
    """Hide the local part of every mail address in the texts of a JSON value: `a***@example.org`."""
    if isinstance(value, str):
        return _ADDRESS.sub(r"\1***@", value)
    if isinstance(value, Mapping):
        return {key: masked(entry) for key, entry in value.items()}
    if isinstance(value, Sequence):
        return [masked(entry) for entry in value]
    return value


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out a plain table, as wide as it needs to be: lines that a script may cut."""
    texts = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(name), *(len(row[at]) for row in texts), 0) for at, name in enumerate(columns)]
    lines = [columns, *texts]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
