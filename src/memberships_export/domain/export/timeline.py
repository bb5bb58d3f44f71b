"""What happened to an export, as entries on its record: read off each change of it, and written with that change.

Nothing else has to remember to note anything, and no entry costs a write of its own. The list is bounded: the beginning
and the latest stay.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from memberships_export.domain.export.record import Entry, Export, ExportStatus, Happened, Send, Stage

MOST = 60
_MILLISECOND = timedelta(milliseconds=1)
_DOWNLOADS_APART = 60_000  # milliseconds
_FIRST = 10  # of them stay for good


def noted(old: Export, new: Export, at: datetime) -> Export:
    """Return `new` with what happened since `old`; unchanged when that is nothing to tell."""
    timeline, after = new.timeline, round((at - new.requested_at) / _MILLISECOND)
    for what, detail in _differences(old, new):
        timeline = _with(timeline, Entry(after, what, detail))
    return new if timeline == new.timeline else replace(new, timeline=timeline)


def downloaded(export: Export, at: datetime, how: str) -> Export:
    """Return the export with a download, by `token` or by `link`; unchanged within a minute of the one before.

    Of a run of downloads the first and the latest stay, so that they do not take the place of what happened before.
    """
    after, last = round((at - export.requested_at) / _MILLISECOND), export.timeline[-2:]
    newest = next((entry for entry in reversed(export.timeline) if entry.what is Happened.DOWNLOADED), None)
    if newest and after - newest.after < _DOWNLOADS_APART:
        return export
    entry = Entry(after, Happened.DOWNLOADED, how)
    if [(one.what, one.detail) for one in last] == [(Happened.DOWNLOADED, how)] * 2:
        return replace(export, timeline=(*export.timeline[:-1], entry))
    return replace(export, timeline=_with(export.timeline, entry))


def moment_of(export: Export, entry: Entry) -> datetime:
    """Return when an entry happened."""
    return export.requested_at + entry.after * _MILLISECOND


def _with(timeline: tuple[Entry, ...], entry: Entry) -> tuple[Entry, ...]:
    last = timeline[-1] if timeline else None
    if last and last.what is entry.what is Happened.PAGES:  # a long walk is one entry
        return (*timeline[:-1], entry)
    longer = (*timeline, entry)
    return longer if len(longer) <= MOST else (*longer[:_FIRST], *longer[_FIRST + 1 :])


def _differences(old: Export, new: Export) -> Iterator[tuple[Happened, str]]:
    yield from _claim(old, new)
    yield from _progress(old, new)
    yield from _sends(old, new)
    yield from _status(old, new)
    if _has_file(old) and not _has_file(new):
        yield Happened.FILE_GONE, ""


def _claim(old: Export, new: Export) -> Iterator[tuple[Happened, str]]:
    if new.token > old.token:
        yield Happened.CLAIMED, str(new.token)


def _progress(old: Export, new: Export) -> Iterator[tuple[Happened, str]]:
    if new.progress.walk > old.progress.walk:
        yield Happened.WALK_AGAIN, str(new.progress.walk)
    if new.progress.pages > old.progress.pages:
        yield Happened.PAGES, str(new.progress.pages)
    if old.stage is Stage.FETCH and new.stage is not Stage.FETCH:
        yield Happened.FETCHED, str(new.progress.rows)
    if new.file and new.file != old.file and not new.file.deleted:
        yield Happened.RENDERED, str(new.file.bytes)


def _sends(old: Export, new: Export) -> Iterator[tuple[Happened, str]]:
    known = {send.number: send for send in old.sends}
    for send in new.sends:
        yield from _send(known.get(send.number), send)


def _send(old: Send | None, new: Send) -> Iterator[tuple[Happened, str]]:
    if old is None:
        yield Happened.SENDING, str(new.number)
    if new.evidence and new.evidence != (old.evidence if old else None):
        yield Happened.EVIDENCE, f"{new.number} {new.evidence}"
    if new.delivery and new.delivery != (old.delivery if old else None):
        yield Happened.DELIVERY, f"{new.number} {new.delivery}"


def _status(old: Export, new: Export) -> Iterator[tuple[Happened, str]]:
    if new.status is old.status:
        return
    match new.status:
        case ExportStatus.WAITING:
            yield Happened.WAITING, new.trouble.code if new.trouble else ""
        case ExportStatus.FAILED:
            yield Happened.FAILED, new.failure.code if new.failure else ""
        case ExportStatus.COMPLETED | ExportStatus.CANCELLED:
            yield Happened(new.status.value), ""
        case ExportStatus.QUEUED if not old.unfinished:
            yield (Happened.RESENT if new.mailing > old.mailing else Happened.REDRIVEN), ""
        case ExportStatus.QUEUED if old.status is ExportStatus.RUNNING:
            yield Happened.STOPPED, ""
        case ExportStatus.QUEUED if old.status is ExportStatus.WAITING:
            yield Happened.RETRIED, ""


def _has_file(export: Export) -> bool:
    return export.file is not None and not export.file.deleted
