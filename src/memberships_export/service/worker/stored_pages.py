"""The pages of an export as they are stored: each names the place, and so the key, of the next."""

from collections.abc import Iterator

from memberships_export.domain.errors import FileMissing
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.part import Part, read_part
from memberships_export.ports import FileStore
from memberships_export.service.file_keys import part_key


def stored_parts(files: FileStore, export: Export) -> Iterator[tuple[str, Part]]:
    """Walk the pages that are on the record, with their keys. Raises FileMissing, FileDamaged."""
    place: str | None = None
    for number in range(export.progress.pages):
        key = part_key(export, number, place)
        stored = files.read(key)
        if stored is None:
            raise FileMissing
        part = read_part(key, stored)
        yield key, part
        place = part.progress.cursor
