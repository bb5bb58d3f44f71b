"""A file from the database: `python -m bench.rivals.from_postgres copy|psql|cursor URL USER_ID FILE [PSQL]`."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from bench.rivals.timing import print_what_it_took

# Written again here, because this runs where the packages of the service are not installed.
COLUMNS = (
    "id", "uuid", "name", "user_id", "recurring_price", "valid_from", "valid_until", "state", "assigned_by",
    "payment_method", "billing_interval", "billing_periods",
)  # fmt: skip
_ROWS = sql.SQL("SELECT {} FROM memberships WHERE user_id = {} ORDER BY id")
_COPY = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)")


def copy(url: str, user_id: str, path: Path) -> None:
    """Let the server write the CSV, and store what it sends."""
    command = _COPY.format(_rows(sql.Literal(user_id)))
    with psycopg.connect(url) as connection, connection.cursor() as cursor, path.open("wb") as file:
        with cursor.copy(command) as rows:
            file.writelines(rows)
        file.flush()
        os.fsync(file.fileno())


def psql(url: str, user_id: str, path: Path, program: str) -> None:
    """Have PostgreSQL's own client do the same."""
    command = _COPY.format(_rows(sql.Literal(user_id))).as_string()
    subprocess.run([program, url, "--quiet", "--command", command, "--output", path], check=True)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def server_cursor(url: str, user_id: str, path: Path) -> None:
    """Fetch the rows some thousand at a time, and write them with `csv.writer`."""
    with psycopg.connect(url) as connection, connection.cursor("rows") as cursor:
        cursor.itersize = 5000
        cursor.execute(_rows(sql.Placeholder()), [user_id])
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(cursor)
            file.flush()
            os.fsync(file.fileno())


def _rows(user_id: sql.Composable) -> sql.Composed:
    return _ROWS.format(sql.SQL(", ").join(map(sql.Identifier, COLUMNS)), user_id)


if __name__ == "__main__":
    ways: Mapping[str, Callable[..., None]] = {"copy": copy, "psql": psql, "cursor": server_cursor}
    way, database, user, file_name, *more = sys.argv[1:]
    print_what_it_took(lambda: ways[way](database, user, Path(file_name), *more))
