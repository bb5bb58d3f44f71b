"""How much one export may take: without bounds, a memberships API that never ends would be asked for ever."""

from datetime import datetime, timedelta

from memberships_export.domain.errors import LimitExceeded
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Export
from memberships_export.domain.source.progress import Progress


def check_time(export: Export, now: datetime, policy: Policy) -> None:
    """Raise LimitExceeded when the export has been under way for too long to fetch one more page."""
    if now - (export.started_at or now) >= policy.max_time:
        hours = policy.max_time / timedelta(hours=1)
        fetched = f"{export.progress.pages} pages and {export.progress.rows} memberships"
        reason = (
            f"After {hours:g} hours {fetched} were fetched, and there are more. "
            f"An export may take {hours:g} hours (MEMBERSHIPS_EXPORT_MAX_HOURS)."
        )
        raise LimitExceeded(reason)


def check_size(progress: Progress, policy: Policy) -> None:
    """Raise LimitExceeded when the pages so far are too many or too large."""
    if progress.bytes > policy.max_bytes:
        reason = (
            f"The memberships API sent {progress.bytes} bytes in {progress.pages} pages. An export may have "
            f"{policy.max_bytes // 1_000_000} MB (MEMBERSHIPS_EXPORT_MAX_MEGABYTES)."
        )
        raise LimitExceeded(reason)
    if progress.cursor and progress.pages >= policy.max_pages:
        reason = (
            f"The memberships API sent {progress.pages} pages and a cursor to another one. An export may have "
            f"{policy.max_pages} (MEMBERSHIPS_EXPORT_MAX_PAGES), each of MEMBERSHIPS_EXPORT_PAGE_SIZE memberships."
        )
        raise LimitExceeded(reason)
