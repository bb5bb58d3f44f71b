"""What a mail tells, from the record alone: all that its templates may name."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from memberships_export.domain.errors import ColumnsGone, FilterGone, GaveUpWaiting, NoProgress
from memberships_export.domain.export.reasons import reason_for_members
from memberships_export.domain.export.record import Export, Failure, Stage, StoredFile
from memberships_export.domain.formats.options import Format
from memberships_export.domain.mail.plain_text import one_line
from memberships_export.domain.source.grades import GRADE_TEXTS
from memberships_export.domain.source.progress import Progress


class Advice(StrEnum):
    """What somebody whose export failed can do now."""

    TAKE_THE_FILE = "take_the_file"  # it is finished, only its mail is not
    ASK_LATER = "ask_later"
    CHOOSE_ANEW = "choose_anew"
    TELL = "tell"  # asking again would end the same way


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The mail that brings the file, in itself or behind a link. Texts are in one line and harmless."""

    event: ClassVar = "ready"

    language: str  # such as de or de-CH
    time_zone: str  # where the times of the mail are told
    format: Format
    file_name: str
    rows: int
    bytes: int
    sha256: str
    until: datetime  # the file is kept until then
    link: str | None  # None: the file is attached
    guarded: int  # cells with an apostrophe in front
    possible_duplicate: bool
    completeness: str | None  # in plain English; None: by our own contract a file is counted, or there is none
    moved_between: tuple[datetime, datetime] | None  # changes made then may be missing; in whole minutes
    columns: tuple[str, ...]  # none: all
    filters: tuple[str, ...]  # such as state: active
    requested_at: datetime
    export_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The mail that tells why there is no file. Texts are in one line and harmless."""

    event: ClassVar = "failed"

    language: str  # such as de or de-CH
    time_zone: str  # where the times of the mail are told
    stage: Stage
    reason: str  # in plain English, for members: it is translated where it is shown
    code: str
    advice: Advice
    until: datetime | None  # the file is kept until then; None: there is none
    requested_at: datetime
    failed_at: datetime
    export_number: str


Facts = Ready | Failed
_ALMOST_A_MINUTE = timedelta(seconds=59, microseconds=999_999)
_PASSES_BY_ITSELF = frozenset({GaveUpWaiting.code, NoProgress.code})
_NOT_THERE_ANY_MORE = frozenset({ColumnsGone.code, FilterGone.code})


def ready(export: Export, *, link: str | None, possible_duplicate: bool) -> Ready:
    """Return what the mail with the file tells. `link`: None when the file is attached.

    Raises ValueError when the export has no file.
    """
    file, progress, options = export.file, export.progress, export.options
    if file is None:
        raise ValueError(f"Export {export.export_id}: this mail needs a file.")
    return Ready(
        language=options.language,
        time_zone=options.time_zone,
        format=options.format,
        file_name=one_line(file.name),
        rows=file.rows,
        bytes=file.bytes,
        sha256=file.sha256,
        until=file.expires_at,
        link=None if link is None else one_line(link),
        guarded=file.guarded,
        possible_duplicate=possible_duplicate,
        completeness=GRADE_TEXTS[progress.grade] if export.profile and progress.grade else None,
        moved_between=_moved_between(progress) if export.profile else None,
        columns=tuple(map(one_line, options.columns)),
        filters=tuple(one_line(f"{chosen.name}: {chosen.value}") for chosen in options.filters),
        requested_at=export.requested_at,
        export_number=one_line(export.export_id),
    )


def failed(export: Export) -> Failed:
    """Return what the mail about a failure tells. Raises ValueError when nothing failed."""
    failure, file = export.failure, _kept(export)
    if failure is None:
        raise ValueError(f"Export {export.export_id} has not failed: there is nothing to tell.")
    return Failed(
        language=export.options.language,
        time_zone=export.options.time_zone,
        stage=failure.stage,
        reason=reason_for_members(failure.code),
        code=one_line(failure.code),
        advice=_advice(failure, file),
        until=file.expires_at if file else None,
        requested_at=export.requested_at,
        failed_at=failure.at,
        export_number=one_line(export.export_id),
    )


def _moved_between(progress: Progress) -> tuple[datetime, datetime] | None:
    """Widen the time to whole minutes: that is how mails tell it."""
    if not (between := progress.moved_between):
        return None
    since, until = between
    return since.replace(second=0, microsecond=0), (until + _ALMOST_A_MINUTE).replace(second=0, microsecond=0)


def _kept(export: Export) -> StoredFile | None:
    return export.file if export.file and not export.file.deleted else None


def _advice(failure: Failure, file: StoredFile | None) -> Advice:
    """Choose the next useful step: take the finished file, wait and ask again, or ask for help."""
    if file is not None:
        return Advice.TAKE_THE_FILE
    if failure.code in _PASSES_BY_ITSELF:
        return Advice.ASK_LATER
    return Advice.CHOOSE_ANEW if failure.code in _NOT_THERE_ANY_MORE else Advice.TELL
