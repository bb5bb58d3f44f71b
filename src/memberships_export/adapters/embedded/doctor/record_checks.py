"""Looks at the databases, and whether records and files fit together. Reads only, also while the service runs."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from memberships_export.adapters.embedded.backup.snapshot import reading, schema_of
from memberships_export.adapters.embedded.database import SCHEMA_VERSION
from memberships_export.adapters.embedded.doctor.finding import Finding
from memberships_export.domain.export.document import read_document
from memberships_export.domain.export.record import StoredFile

_QUICK_FROM = 1024 * 1024 * 1024  # bytes; from there on the thorough check takes minutes
_SECONDS_AHEAD = 5
_NAMED = 10  # folders, in the line to type
_ALL = "SELECT export_id FROM exports"
_WITH_FILE = """
    SELECT export_id, document FROM exports
    WHERE json_valid(document) AND json_extract(document, '$.file.key') IS NOT NULL
"""
_DOCUMENTS = "SELECT export_id, CAST(document AS BLOB) FROM exports"
_ONE = "SELECT document FROM exports WHERE export_id = ?"
_NEWEST = "SELECT max(written_at) FROM exports"


def schema(database: Path) -> Iterator[Finding]:
    """Find a database of another version of this program."""
    with reading(database) as connection:
        version = schema_of(connection)
    if version > SCHEMA_VERSION:
        yield Finding(
            f"{database} has schema {version}, and this program knows up to {SCHEMA_VERSION}",
            "run the newer version that wrote it",
        )
    elif version < SCHEMA_VERSION:
        yield Finding(
            f"{database} has schema {version}, and this program has {SCHEMA_VERSION}",
            "make a backup, then start the service with this version, which takes the database over",
        )


def integrity(database: Path) -> Iterator[Finding]:
    """Find a database that is damaged: with all its indexes up to 1 GiB, else without."""
    pragma = "quick_check" if database.stat().st_size >= _QUICK_FROM else "integrity_check"
    with reading(database) as connection:
        try:
            said = [row[0] for row in connection.execute(f"PRAGMA {pragma}(5)")]
        except sqlite3.DatabaseError as error:
            said = [str(error)]
    if said != ["ok"]:
        first = " ".join(said[0].split())
        yield Finding(f"{database} is damaged ({first})", "stop the service, and restore a backup: docs/backup.md")


def clock(database: Path, now: datetime) -> Iterator[Finding]:
    """Find a clock that was set back: by records that were written later than now."""
    with reading(database) as connection:
        newest = connection.execute(_NEWEST).fetchone()[0]
    ahead = (newest or 0) - now.timestamp()
    if ahead > _SECONDS_AHEAD:
        yield Finding(
            f"the newest record was written {ahead:,.0f} seconds later than the clock of this machine shows now",
            "set the clock right (timedatectl), then restart the service",
        )


def orphans(data: Path) -> Iterator[Finding]:
    """Find folders of files that no record names. The folders first: a record is there before its files are."""
    folders = [path for kind in ("parts", "csv") for path in _folders(data / "files" / kind)]
    with reading(data / "exports.db") as connection:
        known = {row[0] for row in connection.execute(_ALL)}
    lost = [path for path in folders if path.name not in known and path.exists()]  # it may have expired meanwhile
    if lost:
        named = " ".join(str(path) for path in lost[:_NAMED])
        yield Finding(
            f"{len(lost):,} folders of files belong to no record",
            f"delete them: rm -r {named}" if len(lost) <= _NAMED else f"delete them, here the first: rm -r {named}",
        )


def unreadable(data: Path) -> Iterator[Finding]:
    """Find records that cannot be read: of a newer version, or damaged."""
    with reading(data / "exports.db") as connection:
        lost = [row[0] for row in connection.execute(_DOCUMENTS) if not _is_readable(row[1])]
    if lost:
        yield Finding(
            f"{len(lost):,} records cannot be read: {' '.join(lost[:_NAMED])}",
            "run the newer version if there was one; else see docs/runbook.md, unreadable_record",
        )


def _is_readable(document: bytes) -> bool:
    try:
        read_document(document)
    except msgspec.DecodeError:
        return False
    return True


def missing_files(data: Path) -> Iterator[Finding]:
    """Find records whose file is not there, or has another size."""
    with reading(data / "exports.db") as connection:
        suspects = [row[0] for row in connection.execute(_WITH_FILE) if _is_missing(data, row[1])]
        lost = [  # once more: the file may have expired between
            export_id
            for export_id in suspects
            if (row := connection.execute(_ONE, [export_id]).fetchone()) and _is_missing(data, row[0])
        ]
    if lost:
        yield Finding(
            f"the files of {len(lost):,} exports are not there as they were stored: the first is {lost[0]}",
            "a resend makes it anew; until then a download says that it is gone",
        )


def _is_missing(data: Path, document: str) -> bool:
    try:
        file = read_document(document).file
    except msgspec.DecodeError:
        return False
    return file is not None and not file.deleted and not _is_stored(data, file)


def _is_stored(data: Path, file: StoredFile) -> bool:
    try:
        return (data / "files" / file.key).stat().st_size == file.bytes
    except FileNotFoundError:
        return False


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(path for path in parent.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
