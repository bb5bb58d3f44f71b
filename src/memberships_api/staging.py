"""Rows of a file on their way into the database: put beside the memberships, compared, then merged at once.

The comparisons are SQL, the same for every database, so that a million rows need no memory of this process.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from memberships_api import staging_statements as sql
from memberships_api.membership import Membership

_BATCH_ROWS = 5000


class Draft(NamedTuple):
    """A membership that may still lack its id and its uuid; the price is plain decimal text."""

    line: int
    id: int | None
    uuid: str | None
    name: str
    user_id: str
    recurring_price: str
    valid_from: str
    valid_until: str | None
    state: str
    assigned_by: str | None
    payment_method: str | None
    billing_interval: str
    billing_periods: int

    def membership(self, number: int, uuid: str) -> Membership:
        """Return the draft with the id and the UUID that it still lacks."""
        return Membership(
            number,
            uuid,
            self.name,
            self.user_id,
            Decimal(self.recurring_price),
            self.valid_from,
            self.valid_until,
            self.state,
            self.assigned_by,
            self.payment_method,
            self.billing_interval,
            self.billing_periods,
        )


class Clash(StrEnum):
    """Why a row cannot be merged; the most telling first."""

    ID_TWICE = "0"
    SAME_MEMBERSHIP = "1"
    ID_TAKEN = "2"
    OTHER_USER = "3"
    ID_TOO_LOW = "4"
    UUID_TWICE = "5"
    UUID_TAKEN = "6"
    ENDS_BEFORE_START = "7"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row that cannot be merged: `value` is what it says, `other` what stands against it."""

    line: int
    clash: Clash
    value: str
    other: str


class StagingDatabase(Protocol):
    """One transaction of a database that holds the drafts in a table beside the memberships."""

    def run(self, statement: str) -> int:
        """Change something, and tell how many rows."""
        ...

    def rows(self, statement: str) -> Iterator[Sequence[Any]]:
        """Read rows while they are used; memberships may be added meanwhile."""
        ...

    def add(self, memberships: Iterable[Membership]) -> int:
        """Add memberships. Raises MembershipIdTaken."""
        ...


class Staging:
    """The drafts of one import. Nobody else writes before the block that lends it ends, and commits."""

    def __init__(self, database: StagingDatabase, silent: Collection[str], *, update: bool) -> None:
        """`silent`: nullable columns that the file says nothing about; a changed row keeps its own."""
        self._database = database
        self._update = update
        self._find()
        if update:
            for column in sorted(silent):
                self._run(sql.KEEP[column])

    def _find(self) -> None:
        for statement in (sql.INDEX_IDS, sql.INDEX_UUIDS, sql.MEASURE, sql.FIND_BY_ID):
            self._run(statement)
        if self._update:
            self._run(sql.FIND_BY_UUID)
        self._run(sql.INDEX_FOUND)

    def conflicts(self) -> Iterator[Conflict]:
        """Find what keeps rows out, in the order of lines; for each row only what is most telling."""
        statement = sql.CONFLICTS_OF_UPDATE if self._update else sql.CONFLICTS_OF_ADDING
        for line, found in groupby(self._database.rows(statement), key=lambda row: int(row[0])):
            _, clash, value, other = next(found)
            yield Conflict(line, Clash(clash), str(value), str(other))

    def highest_id(self) -> int:
        """Give the highest id there is, in the file or in the database; 0: there is none."""
        return self._number(sql.HIGHEST_ID)

    def found(self) -> int:
        """Count the drafts of memberships that are there."""
        return self._number(sql.FOUND)

    def change(self) -> int:
        """Change the memberships that are there and differ, and count them."""
        return self._run(sql.CHANGE)

    def new(self) -> Iterator[list[Draft]]:
        """Give the drafts that are new, in the order of lines, some at a time."""
        batch: list[Draft] = []
        for row in self._database.rows(sql.NEW):
            batch.append(Draft(*row))
            if len(batch) == _BATCH_ROWS:
                yield batch
                batch = []
        if batch:
            yield batch

    def add(self, memberships: Iterable[Membership]) -> int:
        """Add memberships. Raises MembershipIdTaken."""
        return self._database.add(memberships)

    def _number(self, statement: str) -> int:
        [(number,)] = self._database.rows(statement)
        return int(number)

    def _run(self, statement: str) -> int:
        return self._database.run(statement)
