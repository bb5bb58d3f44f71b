"""Whether what was measured is right: a fast export of wrong rows is no export."""

import csv
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from hashlib import file_digest, sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any

from bench.dump import HEADER, ROWS_OF_USER
from memberships_export.domain.formats.guard import unguard


def check_mail(outbox: Path, shown: Mapping[str, Any]) -> EmailMessage:
    """Return the one mail of a completed export. AssertionError when there is none or more than one."""
    assert shown["status"] == "completed", f"The export is {shown['status']}."
    (path,) = outbox.glob(f"{shown['exportId']}.*.eml")
    mail = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert isinstance(mail, EmailMessage)
    assert (mail["X-Export-Id"], mail["To"]) == (shown["exportId"], shown["email"]), "It is somebody else's mail."
    return mail


def check_attachment(mail: EmailMessage, shown: Mapping[str, Any], database: Path, user_id: str) -> None:
    """Compare the attachment with the record's checksum and with the user's rows in the database."""
    (attachment,) = (part.get_payload(decode=True) for part in mail.iter_attachments())
    assert isinstance(attachment, bytes)
    assert sha256(attachment).hexdigest() == shown["file"]["sha256"], "The attachment has another checksum."
    lines = attachment.decode("utf-8-sig").splitlines(keepends=True)
    assert check_rows(lines, database, user_id) == shown["file"]["rows"]


def check_file(path: Path, shown: Mapping[str, Any], rows: int) -> None:
    """Compare a downloaded file with what the record says about it."""
    file = shown["file"]
    assert (file["rows"], file["bytes"]) == (rows, path.stat().st_size), "The file has another size."
    with path.open("rb") as content:
        assert file_digest(content, "sha256").hexdigest() == file["sha256"], "The file has another checksum."


def check_file_rows(path: Path, database: Path, user_id: str) -> None:
    """Compare every cell of a downloaded file with the user's rows in the database."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        check_rows(lines, database, user_id)


def check_rows(lines: Iterable[str], database: Path, user_id: str) -> int:
    """Compare every cell of a CSV file with the user's rows in the database; return how many rows there are."""
    exported = csv.reader(lines)
    assert len(next(exported)) == len(HEADER), "There are other columns."  # labels stand above them
    rows = 0
    for found, wanted in zip_longest(map(_plain, exported), _rows_of(database, user_id)):
        assert found == wanted, f"Row {rows + 1} is {found}, but {wanted} in the database."
        rows += 1
    return rows


def cells_digest(path: Path) -> str:
    """Digest every cell of a CSV file below its header, formula guards undone: files of the same rows have the same."""
    digest = sha256()
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        assert len(next(rows)) == len(HEADER), "There are other columns."
        for cells in map(_plain, rows):
            digest.update(repr(cells).encode())
    return digest.hexdigest()


def _plain(cells: list[str]) -> list[str]:
    return [unguard(cell) for cell in cells]


def _rows_of(database: Path, user_id: str) -> Iterator[list[str]]:
    with closing(sqlite3.connect(database)) as connection:
        for row in connection.execute(ROWS_OF_USER, [user_id]):
            yield ["" if value is None else str(value) for value in row]
