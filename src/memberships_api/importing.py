"""Importing memberships from a CSV file: every row is valid and all are merged, or none is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import UUID, uuid5

from memberships_api.csv_files.dialect import Choices, Dialect
from memberships_api.csv_files.mapping import ColumnMapping, header_problems
from memberships_api.csv_files.problems import ImportRefused, Notices, Problem, Problems
from memberships_api.csv_files.records import Record, Table, read_table
from memberships_api.csv_files.rows import RowReader, constant_problems
from memberships_api.csv_files.sniffing import SAMPLE_BYTES, sniff
from memberships_api.csv_files.source import Source, opened
from memberships_api.import_conflicts import in_words
from memberships_api.membership import Membership
from memberships_api.repository import MembershipIdTaken, MembershipRepository
from memberships_api.staging import Draft, Staging

# Made once for this purpose; another one would give the same memberships other uuids.
_UUID_NAMESPACE = UUID("6a0e5f0c-3c86-4d7b-9f0e-2b5a8f6d1c47")
_SILENT = {"validUntil": "valid_until", "assignedBy": "assigned_by", "paymentMethod": "payment_method"}


class Watcher:
    """Whoever wants to know how far an import is; by itself it wants to know nothing."""

    def reads_as(self, dialect: Dialect) -> None:
        """Be told how the file is read, before it is."""

    def reading(self, read: int, size: int | None) -> None:
        """Be told the bytes that are read; `size` None: nobody knows how many there are."""

    def adding(self, added: int) -> None:
        """Be told the new rows that are written."""

    def committing(self) -> None:
        """Be told that from here on it is too late to stop."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What to import, and how. `update`: rows of memberships that are there change them."""

    path: Path
    mapping: ColumnMapping = field(default_factory=ColumnMapping)
    choices: Choices = field(default_factory=Choices)
    update: bool = False


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. `notices`: what was done to values, one sentence each."""

    added: int
    changed: int
    unchanged: int
    dialect: Dialect
    notices: Sequence[str]


def import_csv(order: ImportOrder, repository: MembershipRepository, watcher: Watcher | None = None) -> ImportReport:
    """Merge the memberships of a CSV file. Raises ImportRefused with everything there is to fix; then none is."""
    watcher, problems, notices = watcher or Watcher(), Problems(), Notices()
    with opened(order.path, SAMPLE_BYTES) as source:
        dialect = _dialect(source, order)
        watcher.reads_as(dialect)
        table = read_table(source.text(dialect.encoding), dialect.delimiter, notices)
        problems.add([*header_problems(table.header, order.mapping), *constant_problems(order.mapping, dialect)])
        problems.add(_update_problems(order, table))
        problems.raise_if_any()
        reader = RowReader(table.header, order.mapping, dialect, notices)
        drafts = _drafts(_watched(table, source, watcher), reader, problems, update=order.update)
        silent = [column for name, column in _SILENT.items() if not order.mapping.has_source(name, table.header)]
        with repository.staged(drafts, silent, update=order.update) as staging:
            problems.add(map(in_words, staging.conflicts()))
            problems.raise_if_any()
            report = _merged(staging, dialect, notices, watcher)
            watcher.committing()
    return report


def _dialect(source: Source, order: ImportOrder) -> Dialect:
    try:
        return sniff(source.sample, order.choices, order.mapping)
    except ValueError as error:
        raise ImportRefused([Problem(f"{order.path.name} {error}")]) from error


def _update_problems(order: ImportOrder, table: Table) -> Iterator[Problem]:
    if order.update and not any(order.mapping.has_source(name, table.header) for name in ("id", "uuid")):
        yield Problem("An update finds memberships by id, or by uuid: name the column of one, such as --column id=….")


def _watched(table: Table, source: Source, watcher: Watcher) -> Iterator[Record | Problem]:
    for row in table.rows:
        watcher.reading(source.bytes.count, source.size)
        yield row


def _drafts(
    rows: Iterable[Record | Problem], reader: RowReader, problems: Problems, *, update: bool
) -> Iterator[Draft]:
    empty = True
    for row in rows:
        empty = False
        read = [row] if isinstance(row, Problem) else reader.read(row)
        if isinstance(read, list):
            problems.add(read)
        elif update and read.id is None and read.uuid is None:
            problems.add(
                [Problem("the row has neither id nor uuid, and an update finds memberships by them.", read.line)]
            )
        else:
            yield read
    if empty:
        problems.add([Problem("The file has a header but no rows: there is nothing to import.")])


def _merged(staging: Staging, dialect: Dialect, notices: Notices, watcher: Watcher) -> ImportReport:
    found = staging.found()
    changed = staging.change() if found else 0
    new_ids = count(staging.highest_id() + 1)
    added = 0
    for drafts in staging.new():
        added += _added(staging, drafts, new_ids)
        watcher.adding(added)
    return ImportReport(added, changed, found - changed, dialect, notices.texts())


def _added(staging: Staging, drafts: Iterable[Draft], new_ids: Iterator[int]) -> int:
    try:
        return staging.add(_membership(draft, draft.id or next(new_ids)) for draft in drafts)
    except MembershipIdTaken as error:  # by a program that does not take part in the lock
        problem = Problem("The database gained the same ids while the file was read: import it again.")
        raise ImportRefused([problem]) from error


def _membership(draft: Draft, number: int) -> Membership:
    uuid = draft.uuid or str(uuid5(_UUID_NAMESPACE, f"{draft.user_id}:{number}"))
    return draft.membership(number, uuid)
