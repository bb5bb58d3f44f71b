"""What a kind of file is: its names for the world outside, how rows become pieces of one, and what joins them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from memberships_export.domain.formats.options import Options
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a file says about itself where its format has a place for that, in the language of its reader."""

    title: str  # of that place
    rows_title: str  # of where the rows are
    facts: Sequence[tuple[str, str | int | datetime]]  # names and values; times are aware and in UTC
    checksum: str  # the name of the SHA-256 of the same rows as CSV with preset raw
    cut: str  # the name of how many texts were cut, where a cell of the format holds only so much


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a file is made by, but the rows."""

    options: Options
    columns: Sequence[Column]  # those of the file, in its order
    headings: Sequence[str]  # what stands above each: a label in the language of the reader, or the column's name
    about: About
    compact: bool = True  # small counts for more than quick: the file is going to be attached to a mail


class Piece(Struct, frozen=True, kw_only=True):
    """Rows as they are going to stand in a file: made when they arrive, joined in their order when all are there."""

    rows: int
    content: bytes
    guarded: int = 0  # how many cells got an apostrophe
    more: bytes = b""  # what else its format needs to know of them, in a form of its own


class PieceMaker(Protocol):
    """Makes the pieces of one file, in any order and by any process: the same rows always become the same piece."""

    def piece(self, tables: Iterable[Table]) -> Piece:
        """Return the rows of a page, which come in tables of a few, as one piece.

        Raises UnicodeEncodeError for half a character, where the format cannot hold it.
        """
        ...


class FileWriter(Protocol):
    """Joins the pieces of one file. The same plan and pieces give the same bytes."""

    @property
    def guarded(self) -> int:
        """How many cells got an apostrophe, up to now."""
        ...

    def begin(self) -> bytes:
        """Return what comes before the first row: for most formats, the headings."""
        ...

    def add(self, piece: Piece) -> bytes:
        """Return these rows as bytes of the file, after those before. A format may hold bytes back until later."""
        ...

    def end(self) -> bytes:
        """Return what comes after the last row."""
        ...


class FileFormat(Protocol):
    """A kind of file that rows can become. Writing is pure."""

    @property
    def ending(self) -> str:
        """Of the file's name, without a dot."""
        ...

    @property
    def media_type(self) -> str:
        """The media type alone, such as text/csv."""
        ...

    @property
    def content_type(self) -> str:
        """The media type with its parameters, such as a charset."""
        ...

    def pieces(self, options: Options, columns: Sequence[Column]) -> PieceMaker:
        """Return what makes pieces of rows with these columns."""
        ...

    def writer(self, plan: Plan) -> FileWriter:
        """Begin a file. Its pieces were made by the options and columns of its plan."""
        ...
