"""What a file is made by: the options of its export, the columns of its profile, the words of its reader."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.file_format import About, Plan
from memberships_export.domain.formats.headings import Translate, headings
from memberships_export.domain.source.grades import GRADE_TEXTS
from memberships_export.domain.source.profile import Column
from memberships_export.domain.translatable import translatable

# A page as JSON is about so many times as large as its rows in a compressed file.
_JSON_TO_FILE = 4


def file_plan(export: Export, columns: Sequence[Column], policy: Policy, translate: Translate) -> Plan:
    """Return the plan of the export's file. It depends on the record alone, so that the same file is made again."""
    return Plan(
        options=export.options,
        columns=columns,
        headings=headings(columns, export.options, translate),
        about=About(
            title=translate(translatable("About")),
            rows_title=translate(translatable("Memberships")),
            facts=list(_facts(export, translate)),
            checksum=translate(translatable("SHA-256 of the rows as CSV (preset raw)")),
            cut=translate(translatable("Texts that were cut, as they are too long for a cell")),
        ),
        compact=export.progress.bytes <= _JSON_TO_FILE * policy.attachment_limit,
    )


def _facts(export: Export, translate: Translate) -> Iterator[tuple[str, str | int | datetime]]:
    yield translate(translatable("Requested")), export.requested_at
    yield translate(translatable("Rows")), export.progress.rows
    if export.progress.grade:
        yield translate(translatable("Completeness")), translate(GRADE_TEXTS[export.progress.grade])
    yield translate(translatable("Time zone")), export.options.time_zone
    for chosen in export.options.filters:
        yield translate(translatable("Filter: {name}")).format(name=chosen.name), chosen.value
