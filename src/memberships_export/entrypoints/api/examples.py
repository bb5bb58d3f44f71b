"""Examples for the OpenAPI document, made by the code that answers, so they cannot drift from it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from memberships_export.domain.errors import MailRefused, MembershipsUnavailable
from memberships_export.domain.export.record import (
    Delivery,
    Entry,
    Evidence,
    Export,
    ExportStatus,
    Failure,
    Happened,
    Send,
    Stage,
    StoredFile,
    Trouble,
)
from memberships_export.domain.export.tombstone import tombstone_of
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.progress import Progress
from memberships_export.entrypoints.api.schemas import erased_view, export_view

_NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_LATER = _NOON + timedelta(seconds=12)


def queued() -> Export:
    """Return an export that was just accepted."""
    return Export(
        export_id="6f1c1f3e-7f0e-4a59-9d2f-0d7f4b1f8c11",
        user_id="42",
        email="member@example.org",
        requested_at=_NOON,
    )


def running() -> Export:
    """Return one that is fetching, with 3 of 8 pages stored."""
    progress = Progress(pages=3, rows=15_000, total=40_000, cursor="next")
    return replace(queued(), status=ExportStatus.RUNNING, claims=1, started_at=_LATER, progress=progress)


def waiting() -> Export:
    """Return one that waits because the memberships API answered 503."""
    reason = "The memberships API answered 503."
    trouble = Trouble(code=MembershipsUnavailable.code, reason=reason, since=_LATER, count=1)
    wake_at = _LATER + timedelta(seconds=5)
    return replace(running(), status=ExportStatus.WAITING, trouble=trouble, wake_at=wake_at)


def completed() -> Export:
    """Return one whose mail was delivered."""
    file = StoredFile(
        key="csv/1.csv",
        name="memberships-2026-03-01.csv",
        rows=40_000,
        bytes=4_812_345,
        sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        expires_at=_LATER + timedelta(days=7),
    )
    send = Send(number=1, mailing=1, started_at=_LATER, evidence=Evidence.ACCEPTED, delivery=Delivery.DELIVERED)
    return replace(
        running(),
        status=ExportStatus.COMPLETED,
        stage=Stage.DELIVER,
        progress=Progress(pages=8, rows=40_000, total=40_000, grade=Grade.COUNTED),
        file=file,
        sends=(send,),
        finished_at=_LATER + timedelta(seconds=9),
        timeline=(
            Entry(12_000, Happened.CLAIMED, "1"),
            Entry(20_000, Happened.FETCHED, "40000"),
            Entry(21_000, Happened.COMPLETED),
        ),
    )


def failed() -> Export:
    """Return one whose mail was refused for good; its file is kept."""
    reason = "The mail service refused the mail: 400."
    failure = Failure(stage=Stage.DELIVER, code=MailRefused.code, reason=reason, at=_LATER)
    return replace(completed(), status=ExportStatus.FAILED, sends=(), failure=failure)


def cancelled() -> Export:
    """Return one that its user cancelled during the fetch."""
    return replace(running(), status=ExportStatus.CANCELLED, finished_at=_LATER)


def resent() -> Export:
    """Return one that was completed and is about to be mailed a second time."""
    return replace(completed(), status=ExportStatus.QUEUED, mailing=2, finished_at=None)


def erased() -> dict[str, Any]:
    """Return what is kept of a completed export as the JSON that its owner gets."""
    tombstone = tombstone_of(completed(), "", _LATER + timedelta(days=1))
    return erased_view(tombstone).model_dump(mode="json", by_alias=True)


def shown(export: Export) -> dict[str, Any]:
    """Return an example as the JSON that its owner gets."""
    return export_view(export, "", _LATER).model_dump(mode="json", by_alias=True)
