"""What commands print: answers on stdout, everything else on stderr, nothing that could steer the terminal."""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper

from memberships_export.entrypoints.cli.exits import CommandError

_ADDRESS = re.compile(r"([^\s@\"'<>:,;])[^\s@\"'<>:,;]*@(?=\S)")


def prepare_streams() -> None:
    """Let no terminal break a command: a character it cannot show is escaped, and a closed stream takes everything."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  (open to the end)
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print an answer. Flushed, so that whoever reads a pipe sees it at once. Raises CommandError, BrokenPipeError."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise  # nobody reads any more: the command ends without a word
    except OSError as error:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  (what is left would fail at exit)
        raise CommandError(f"The answer cannot be written to the standard output: {error.strerror}.") from error


def complain(text: str) -> None:
    """Print what is wrong, or what a person may want to know beside the answer."""
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
