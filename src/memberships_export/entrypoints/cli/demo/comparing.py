"""Whether a file holds what the memberships API has, cell by cell."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation

from memberships_api.membership import Membership, row_of
from memberships_export.entrypoints.cli.demo.reading import Row
from memberships_export.entrypoints.cli.exits import CommandError

FIELDS = tuple(Membership.__struct_encode_fields__)


@dataclass(slots=True)
class Comparison:
    """What was read up to now. `names`: of the file's columns; `zone`: of its times without an offset.

    Columns that only an API of another shape has are not compared.
    """

    names: Sequence[str]
    zone: tzinfo
    rows: int = 0

    def checked(self, rows: Iterable[Row], memberships: Iterable[Membership]) -> Iterator[Row]:
        """Pass the rows on, each when it was compared. Raises CommandError naming the first that differs."""
        places = [(at, name, FIELDS.index(name)) for at, name in enumerate(self.names) if name in FIELDS]
        expected = iter(memberships)
        for row in rows:
            self.rows += 1
            membership = next(expected, None)
            if membership is None or len(row) != len(self.names):
                raise CommandError(f"Row {self.rows} of the file is none of the memberships API.")
            values = row_of(membership)
            for at, name, field in places:
                self._compare(name, row[at], values[field])
            yield row

    def _compare(self, name: str, cell: str, value: object) -> None:
        expected = "" if value is None else str(value)
        if cell != expected and not self._means_the_same(name, cell, expected):
            raise CommandError(
                f"{name} of row {self.rows} is {cell!r} in the file, and {expected!r} in the memberships API."
            )

    def _means_the_same(self, name: str, cell: str, expected: str) -> bool:
        """Compare what formats and APIs write in their own ways."""
        try:
            match name:
                case "id":  # such as sub_00000017
                    return int("".join(filter(str.isdigit, cell))) == int(expected)
                case "recurringPrice":
                    return Decimal(cell.replace(",", ".")) == Decimal(expected)
                case "validFrom" | "validUntil":
                    return self._day(cell) == date.fromisoformat(expected)
        except (ValueError, InvalidOperation):
            pass
        return False

    def _day(self, cell: str) -> date:
        """Return the day; of a time the one in UTC, as the APIs mean it."""
        if len(cell) == len("2024-12-31"):
            return date.fromisoformat(cell)
        time = datetime.fromisoformat(cell)
        return (time if time.tzinfo else time.replace(tzinfo=self.zone)).astimezone(UTC).date()
