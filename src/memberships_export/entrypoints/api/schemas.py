"""What clients see of an export: JSON in camelCase, made from the record by one pure function."""

from datetime import datetime

from pydantic import Field

from memberships_export.domain.export.reasons import detail_for_members, reason_for_members
from memberships_export.domain.export.record import Delivery, Entry, Export, ExportStatus, Happened, Stage
from memberships_export.domain.export.timeline import moment_of
from memberships_export.domain.export.tombstone import UNREADABLE, Tombstone
from memberships_export.domain.formats.options import Preset
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.progress import completeness_text
from memberships_export.entrypoints.api.options_schemas import OptionsView, options_view
from memberships_export.entrypoints.api.view import View


class ProgressView(View):
    """How far the fetch is."""

    rows: int
    total: int | None = Field(default=None, description="As far as the memberships API announced it.")
    percent: int | None = Field(
        default=None, ge=0, le=100, description="100 only when all rows are fetched; null while unknown."
    )
    pages: int


class CompletenessView(View):
    """How sure it is that all memberships are in the file."""

    grade: Grade = Field(
        description="`counted`: as many as the memberships API said, before and after. `ended`: the API said that it "
        "was done, and named no total. `guessed`: only a short or empty page told the end. No row comes twice in any."
    )
    text: str = Field(description="The same in words for members.")
    changes_from: datetime | None = Field(
        default=None, description="Changes of memberships from here on may be missing; null: none are."
    )
    changes_until: datetime | None = None


class ReasonView(View):
    """Why an export waits or failed."""

    code: str
    reason: str
    stage: Stage


class FileView(View):
    """The finished file."""

    name: str
    rows: int
    bytes: int
    sha256: str
    expires_at: datetime
    available: bool
    url: str | None = Field(default=None, description="Where to get it with your token; null when it is not available.")


class DeliveryView(View):
    """What the mail service told about the mail. `status` is null while nobody knows."""

    status: Delivery | None = None
    possible_duplicate: bool = Field(description="The mail may have come twice: its first sending went unanswered.")
    detail: str | None = None


class EntryView(View):
    """One thing that happened to the export."""

    at: datetime
    what: Happened
    detail: str = Field(description="A number, a code, or both with a blank between them; often empty.")


class LinksView(View):
    """What can be done with the export now, by POST; null for what cannot."""

    cancel: str | None = None
    resend: str | None = None


class ExportView(View):
    """One export."""

    export_id: str
    status: ExportStatus
    status_text: str
    status_url: str
    paused: bool = Field(
        default=False, description="The service is paused by its operators: an unfinished export goes on afterwards."
    )
    stage: Stage | None = Field(
        default=None, description="While it is unfinished; of a failed one, the stage it failed at."
    )
    progress: ProgressView
    completeness: CompletenessView | None = Field(default=None, description="Null until all rows are fetched.")
    options: OptionsView
    preset: Preset = Field(description="As in `options`; kept for older clients.")
    email: str = Field(description="Where the file is mailed to.")
    attempts: int = Field(description="How often a worker started on it.")
    requested_at: datetime
    request_id: str | None = Field(
        default=None, description="Names the request that it was made by, also in logs; quote it to support."
    )
    started_at: datetime | None = None
    finished_at: datetime | None = None
    next_attempt_at: datetime | None = Field(default=None, description="When a waiting export is tried again.")
    trouble: ReasonView | None = Field(
        default=None, description="What is in the way of an unfinished export; it will pass."
    )
    error: ReasonView | None = Field(default=None, description="Why a failed export failed.")
    file: FileView | None = None
    delivery: DeliveryView | None = None
    timeline: list[EntryView] | None = Field(
        default=None, description="What happened since the request, the oldest first. Null in lists."
    )
    links: LinksView


class ExportList(View):
    """A user's exports, newest first."""

    items: list[ExportView]


class ErasedView(View):
    """What was erased: this is all that is kept of the export."""

    export_id: str
    requested_at: datetime | None = None
    erased_at: datetime
    outcome: ExportStatus | None = Field(
        description="Its status before it was erased; null when its record could not be read any more."
    )
    rows: int | None = Field(default=None, description="Of its file; null when there was none.")


def erased_view(tombstone: Tombstone) -> ErasedView:
    """Show the tombstone of an export to its owner."""
    return ErasedView(
        export_id=tombstone.export_id,
        requested_at=tombstone.requested_at,
        erased_at=tombstone.erased_at,
        outcome=None if tombstone.outcome == UNREADABLE else ExportStatus(tombstone.outcome),
        rows=tombstone.rows,
    )


def export_path(export_id: str, base: str) -> str:
    """Return the path of an export under the path the routes are mounted at."""
    return f"{base}/memberships/exports/{export_id}"


def export_view(export: Export, base: str, now: datetime, *, service_paused: bool = False) -> ExportView:
    """Show an export to its owner. `base`: the path the routes are mounted at, often empty."""
    paused = service_paused and export.unfinished
    path = export_path(export.export_id, base)
    waiting = export.status is ExportStatus.WAITING
    return ExportView(
        export_id=export.export_id,
        status=export.status,
        status_text=_PAUSED if paused else export.status_text,
        status_url=path,
        paused=paused,
        stage=_stage(export),
        progress=_progress(export),
        completeness=_completeness(export),
        options=options_view(export.options),
        preset=export.options.preset,
        email=export.email,
        attempts=export.claims,
        requested_at=export.requested_at,
        request_id=export.request_id,
        started_at=export.started_at,
        finished_at=export.finished_at,
        next_attempt_at=export.wake_at if waiting else None,
        trouble=_trouble(export),
        error=_reason(export.failure.code, export.failure.stage) if export.failure else None,
        file=_file(export, path, now),
        delivery=_delivery(export),
        timeline=[_entry(export, entry) for entry in export.timeline],
        links=_links(export, path),
    )


_PAUSED = "Paused by the operators of the service; goes on by itself afterwards"


def _stage(export: Export) -> Stage | None:
    if export.failure:
        return export.failure.stage
    return export.stage if export.unfinished else None


def _progress(export: Export) -> ProgressView:
    known = export.progress
    return ProgressView(rows=known.rows, total=known.total, percent=_percent(export), pages=known.pages)


def _completeness(export: Export) -> CompletenessView | None:
    grade, text = export.progress.grade, completeness_text(export.progress)
    if grade is None or text is None:
        return None
    since, until = export.progress.moved_between or (None, None)
    return CompletenessView(grade=grade, text=text, changes_from=since, changes_until=until)


def _percent(export: Export) -> int | None:
    rows, total = export.progress.rows, export.progress.total
    if export.stage is not Stage.FETCH:
        return 100
    if total is None:
        return None
    return min(99, rows * 100 // total) if total else 0


def _trouble(export: Export) -> ReasonView | None:
    trouble = export.trouble if export.unfinished else None
    return _reason(trouble.code, export.stage) if trouble else None


def _reason(code: str, stage: Stage) -> ReasonView:
    return ReasonView(code=code, reason=reason_for_members(code), stage=stage)


def _file(export: Export, path: str, now: datetime) -> FileView | None:
    file = export.file
    if file is None:
        return None
    available = not file.deleted and now < file.expires_at
    return FileView(
        name=file.name,
        rows=file.rows,
        bytes=file.bytes,
        sha256=file.sha256,
        expires_at=file.expires_at,
        available=available,
        url=f"{path}/file" if available else None,
    )


def _delivery(export: Export) -> DeliveryView | None:
    sends = export.current_sends
    if not sends:
        return None
    return DeliveryView(
        status=export.delivery,
        possible_duplicate=any(send.possible_duplicate for send in sends),
        detail=detail_for_members(sends[-1]),
    )


def _entry(export: Export, entry: Entry) -> EntryView:
    return EntryView(at=moment_of(export, entry), what=entry.what, detail=entry.detail)


def _links(export: Export, path: str) -> LinksView:
    stored = export.file is not None and not export.file.deleted
    can_resend = stored and export.status in {ExportStatus.COMPLETED, ExportStatus.FAILED}
    return LinksView(
        cancel=f"{path}/cancel" if export.unfinished else None,
        resend=f"{path}/resend" if can_resend else None,
    )
