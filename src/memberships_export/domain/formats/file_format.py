"""What a kind of file is to everybody who does not write it: a name, a media type, and what to say about it."""

from collections.abc import Sequence
from typing import Protocol

from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.reader import Table


class FileFormat(Protocol):
    """A kind of file that rows can become. Writing is pure: the same rows give the same bytes."""

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

    @property
    def layout(self) -> str:
        """How rows lie in the file, in a few words for the mail."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What else the reader of the file has to know, in whole sentences for the mail."""
        ...

    def begin(self, columns: Sequence[Column]) -> bytes:
        """Return what comes before the first row: for most formats, the names of the columns."""
        ...

    def rows(self, table: Table) -> bytes:
        """Return these rows as bytes of the file, without what begins or ends it."""
        ...

    def end(self) -> bytes:
        """Return what comes after the last row."""
        ...
