"""What is in the file that arrived, and whether it is the right one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from memberships_api.membership import Membership
from memberships_export.entrypoints.cli.ask.answers import Answer
from memberships_export.entrypoints.cli.demo.comparing import Comparison
from memberships_export.entrypoints.cli.demo.reading import Row, rows_of
from memberships_export.entrypoints.cli.exits import CommandError

_SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: the names of its columns, what stands above them, and its first rows."""

    rows: int
    sha256: str
    names: Sequence[str]
    headings: Row
    first: Sequence[Row]


def checked_content(path: Path, answer: Answer, names: Sequence[str], memberships: Iterable[Membership]) -> Content:
    """Read a file to its end, and compare it with the export's status and with the memberships.

    `names`: of its columns. Raises CommandError naming the first difference.
    """
    chosen, rows = answer["options"], rows_of(path, answer["options"])
    headings = next(rows, names)  # JSON Lines without a line have none
    comparison = Comparison(names, ZoneInfo(chosen["timeZone"]))
    expected = iter(memberships)
    checked = comparison.checked(rows, expected)
    first = list(islice(checked, _SHOWN_ROWS))
    for _ in checked:
        pass
    left = sum(1 for _ in expected)
    content = Content(comparison.rows, _sha256(path), names, headings, first)
    _check(content, answer, comparison.rows + left)
    return content


def _check(content: Content, answer: Answer, rows: int) -> None:
    said = answer["file"]
    if content.sha256 != said["sha256"]:
        raise CommandError(f"The mailed file has SHA-256 {content.sha256}, but the status says {said['sha256']}.")
    if not content.rows == said["rows"] == rows:
        raise CommandError(f"The mailed file has {content.rows} rows, the status {said['rows']}, expected {rows}.")
    if len(content.headings) != len(content.names):
        raise CommandError(f"The mailed file has {len(content.headings)} columns, expected {len(content.names)}.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
