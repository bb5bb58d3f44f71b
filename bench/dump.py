"""The yardstick: the least that a file of the same rows costs, with nothing that makes an export safe."""

import csv
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec

from memberships_api.membership import Membership

_FIELDS = msgspec.structs.fields(Membership)
HEADER = tuple(field.encode_name for field in _FIELDS)
ROWS_OF_USER = (
    f"SELECT {', '.join(field.name for field in _FIELDS)} FROM memberships "  # noqa: S608  (names of our own)
    "WHERE user_id = ? ORDER BY id"
)


def dump(database: Path, user_id: str, path: Path) -> float:
    """Write a user's rows from the table to a CSV file, once; return the seconds."""
    begun = time.perf_counter()
    with closing(sqlite3.connect(database)) as connection, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(connection.execute(ROWS_OF_USER, [user_id]))
        file.flush()
        os.fsync(file.fileno())
    return time.perf_counter() - begun


def count_rows(path: Path) -> int:
    """Count the rows of a dump, without its header."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1
