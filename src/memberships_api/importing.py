"""Importing memberships from a CSV file: every row is valid and all are added, or none is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import UUID, uuid5

import msgspec

from memberships_api.csv_fields import FIELDS, FieldRefused, FieldValue, parse_field
from memberships_api.csv_reading import ColumnMapping, ImportRefused, Problem, Record, read_records
from memberships_api.membership import Membership
from memberships_api.repository import MembershipIdTaken, MembershipRepository, Occupied

# Made once for this purpose; another one would give the same memberships other uuids.
_UUID_NAMESPACE = UUID("6a0e5f0c-3c86-4d7b-9f0e-2b5a8f6d1c47")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    rows: int


@dataclass(frozen=True, slots=True)
class _Row:
    """A row whose fields are valid each by itself."""

    line: int
    values: Mapping[str, FieldValue]

    @property
    def id(self) -> int | None:
        value = self.values["id"]
        return value if isinstance(value, int) else None

    @property
    def user_id(self) -> str:
        return str(self.values["userId"])


def import_csv(path: Path, mapping: ColumnMapping, repository: MembershipRepository) -> ImportReport:
    """Add the memberships of a CSV file. Raises ImportRefused with everything there is to fix; then none is added."""
    rows, problems = _parsed(read_records(path, mapping))
    ids = [row.id for row in rows if row.id is not None]
    occupied = repository.occupied({row.user_id for row in rows}, ids)
    problems += _id_problems(rows, occupied)
    if problems:
        raise ImportRefused(sorted(problems, key=lambda problem: problem.line or 0))
    try:
        added = repository.add(_memberships(rows, max([occupied.highest_id, *ids])))
    except MembershipIdTaken as error:
        problem = Problem("The database gained the same ids while the file was read: import it again.")
        raise ImportRefused([problem]) from error
    return ImportReport(added)


def _parsed(records: Iterable[Record | Problem]) -> tuple[list[_Row], list[Problem]]:
    rows: list[_Row] = []
    problems: list[Problem] = []
    for record in records:
        if isinstance(record, Problem):
            problems.append(record)
            continue
        values, reasons = _parsed_values(record.values)
        problems += [Problem(reason, record.line) for reason in reasons]
        if not reasons:
            rows.append(_Row(record.line, values))
    return rows, problems


def _parsed_values(texts: Mapping[str, str]) -> tuple[dict[str, FieldValue], list[str]]:
    values: dict[str, FieldValue] = dict.fromkeys(FIELDS)
    reasons = []
    for field, text in texts.items():
        try:
            values[field] = parse_field(field, text)
        except FieldRefused as error:
            reasons.append(str(error))
    start, end = values["validFrom"], values["validUntil"]
    if isinstance(start, str) and isinstance(end, str) and end < start:
        reasons.append(f"validUntil is {end!r}: it must not be before validFrom, {start!r}.")
    return values, reasons


def _id_problems(rows: Sequence[_Row], occupied: Occupied) -> Iterator[Problem]:
    uses = Counter(row.id for row in rows)
    for row in rows:
        if row.id is None:
            continue
        highest = occupied.highest_id_by_user.get(row.user_id, 0)
        if uses[row.id] > 1:
            yield Problem(f"id is {row.id}: {uses[row.id]} rows of this file have it.", row.line)
        elif row.id in occupied.ids:
            yield Problem(f"id is {row.id}: it is in the database already.", row.line)
        elif row.id < highest:
            # Such a row would appear in the middle of pages that are being read.
            yield Problem(f"id is {row.id}: new rows of this user need ids above {highest}, or none.", row.line)


def _memberships(rows: Iterable[_Row], highest_id: int) -> Iterator[Membership]:
    new_ids = count(highest_id + 1)
    for row in rows:
        number = row.id or next(new_ids)
        uuid = row.values["uuid"] or str(uuid5(_UUID_NAMESPACE, f"{row.user_id}:{number}"))
        yield msgspec.convert({**row.values, "id": number, "uuid": uuid}, Membership)
