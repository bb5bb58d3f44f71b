"""What the API needs from a database; nothing here knows which one it is."""

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from memberships_api.membership import Membership
from memberships_api.staging import Draft, Staging


class MembershipIdTaken(Exception):
    """A membership cannot be added under the id it has: another one has it."""


class MembershipsUnavailable(Exception):
    """The database cannot be reached, or refuses; the text names it and the reason, never its password."""


class DatabaseRefuses(MembershipsUnavailable):
    """The URL is none, or the server refuses what stands there: unlike a server that is away, that does not pass."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there was when the first page was read: the highest id and the number of rows up to it."""

    bound: int
    total: int


class Form(Enum):
    """How the rows of a page are written."""

    OBJECTS = auto()  # between them a comma
    ARRAYS = auto()  # between them a comma; in each the values in the order of the fields of a Membership
    LINES = auto()  # objects, between them a line feed


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which rows of whose memberships. Without a snapshot it is the first page, and one is taken."""

    user_id: str
    limit: int
    state: str | None = None
    after: int = 0
    snapshot: Snapshot | None = None
    form: Form = Form.OBJECTS

    @property
    def between(self) -> str:
        """What stands between two rows."""
        return "\n" if self.form is Form.LINES else ","


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in id order, in the form that was asked for. `next_after` None: the last page."""

    items: bytes
    next_after: int | None
    snapshot: Snapshot


class MembershipRepository(Protocol):
    """What the API and the import need from a database."""

    def close(self) -> None:
        """Close the connections that are not in use."""
        ...

    def cursor_key(self) -> bytes:
        """Give the secret that signs cursors: made once, the same for every process on this database."""
        ...

    def page(self, request: PageRequest) -> Page:
        """Read one page of one user's memberships."""
        ...

    def add(self, memberships: Iterable[Membership]) -> int:
        """Add all of them or none, and return how many. Raises MembershipIdTaken.

        A user's new ids must be above the ones that user has: pages being read would otherwise gain rows.
        """
        ...

    def staged(
        self, drafts: Iterable[Draft], silent: Collection[str], *, update: bool
    ) -> AbstractContextManager[Staging]:
        """Put drafts beside the memberships, and lend them to be merged; a block that raises has changed nothing.

        With `update`, drafts of memberships that are there change them; `silent` are the nullable columns that the
        drafts say nothing about.
        """
        ...
