"""Profiles as readers, for tests."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import memberships_export
from memberships_export.bootstrap.lazy_readers import LazyReaders
from memberships_export.domain.formats.file_format import About, FileWriter, Plan
from memberships_export.domain.formats.formats import file_format
from memberships_export.domain.formats.headings import headings
from memberships_export.domain.formats.options import Format, Options, Preset, of_preset
from memberships_export.domain.formats.part import Part, as_part
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.keys import Seen
from memberships_export.domain.source.page import Asked, after_page
from memberships_export.domain.source.profile import Column
from memberships_export.domain.source.profile_file.text import read_profile
from memberships_export.domain.source.progress import Progress
from memberships_export.domain.source.reader import Reader, Table, reader_of
from memberships_export.ports import MembershipSource
from tests.factories import REQUESTED_AT

SHIPPED = Path(memberships_export.__file__).parent / "shipped" / "profiles"


def a_reader(text: str, name: str = "test") -> Reader:
    """Compile the text of a profile."""
    return reader_of(read_profile(text, name))


@cache
def own_reader() -> Reader:
    """Our own contract."""
    return a_reader((SHIPPED / "memberships.toml").read_text(encoding="utf-8"), "memberships")


def readers(current: Reader | None = None) -> LazyReaders:
    """The profiles of a process; unless told, with nothing but our own contract."""
    if current is None or current is own_reader():
        return LazyReaders(own_reader)
    return LazyReaders(own_reader, lambda: current)


def own_table(page: bytes) -> Table:
    """The cells of a page of our own contract."""
    reader = own_reader()
    return reader.table(reader.read(Answer(page)).rows)


def own_file(page: bytes, preset: Preset = Preset.SPREADSHEET) -> bytes:
    """The whole file that an export of one page becomes, in English."""
    plan = a_plan(of_preset(preset))
    writer = FileOfTables(replace(plan, headings=headings(plan.columns, plan.options, str)))
    return writer.begin() + writer.rows(own_table(page)) + writer.end()


class FileOfTables:
    """A file while it is written, with the pieces that tables become."""

    def __init__(self, plan: Plan, writer: FileWriter | None = None) -> None:
        form = file_format(plan.options.format)
        self.plan = plan
        self.writer = writer or form.writer(plan)
        self._pieces = form.pieces(plan.options, plan.columns)
        self.begin, self.end = self.writer.begin, self.writer.end

    @property
    def guarded(self) -> int:
        return self.writer.guarded

    def rows(self, table: Table) -> bytes:
        return self.writer.add(self._pieces.piece([table] if table.rows else []))


def csv_writer(preset: Preset, columns: Sequence[Column] | None = None) -> FileOfTables:
    """What writes the CSV of a preset, by default of our own contract, under the names of the columns."""
    return FileOfTables(a_plan(of_preset(preset), columns))


def a_plan(options: Options, columns: Sequence[Column] | None = None) -> Plan:
    """What a file is made by; without columns, those of our own contract. Their names stand above them."""
    chosen = own_reader().profile.columns if columns is None else columns
    about = About(title="About", rows_title="Memberships", facts=[("Rows", 1)], checksum="SHA-256", cut="Cut")
    return Plan(options=options, columns=chosen, headings=[column.name for column in chosen], about=about)


def a_part(key: str, page: bytes, before: Progress = Progress()) -> bytes:
    """A page of user-1 by our own contract as it is stored, with its piece of the usual CSV."""
    reader = own_reader()
    asked = Asked(owner="user-1", size=3, at=REQUESTED_AT, url="http://127.0.0.1/memberships")
    read = reader.read(Answer(page))
    step = after_page(reader, Seen(), before, read, asked)
    tables = reader.checked_tables(read.rows, range(len(reader.profile.columns)))
    piece = file_format(Format.CSV).pieces(Options(), reader.profile.columns).piece(tables)
    return as_part(key, Part(at=REQUESTED_AT, progress=step.progress, piece=piece, keys=tuple(step.keys)))


def believed(page: bytes, user_id: str, progress: Progress = Progress()) -> Progress:
    """The progress after a page of our own contract."""
    reader = own_reader()
    asked = Asked(owner=user_id, size=5000, at=REQUESTED_AT, url="http://127.0.0.1/memberships")
    return after_page(reader, Seen(), progress, reader.read(Answer(page)), asked).progress


def own_page(source: MembershipSource, user_id: str = "anna", cursor: str | None = None, limit: int = 10) -> bytes:
    """Fetch a page by our own contract."""
    known = own_reader().known
    return source.fetch(Ask(known.profile, User(user_id, ""), limit).page(cursor), known).body
