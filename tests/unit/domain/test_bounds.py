"""How much one export may take."""

from datetime import timedelta

import pytest

from memberships_export.domain.errors import LimitExceeded
from memberships_export.domain.export import held, lifecycle
from memberships_export.domain.export.bounds import check_size, check_time
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import ExportStatus
from memberships_export.domain.source.progress import Progress
from tests.factories import REQUESTED_AT, an_export

POLICY = Policy(max_pages=3, max_bytes=5_000_000, max_time=timedelta(hours=2))


@pytest.mark.parametrize(
    "progress",
    [
        Progress(),
        Progress(pages=2, bytes=5_000_000, cursor="more"),
        Progress(pages=3),
        Progress(pages=4),  # the setting was lowered meanwhile, but this was the last page
    ],
)
def test_an_export_within_its_bounds_goes_on(progress: Progress) -> None:
    check_size(progress, POLICY)


def test_one_page_more_than_allowed_is_never_asked_for() -> None:
    with pytest.raises(
        LimitExceeded, match=r"sent 3 pages and a cursor .* may have 3 \(MEMBERSHIPS_EXPORT_MAX_PAGES\)"
    ):
        check_size(Progress(pages=3, cursor="more"), POLICY)


@pytest.mark.parametrize("cursor", [None, "more"])
def test_too_many_bytes_fail_also_with_the_last_page(cursor: str | None) -> None:
    with pytest.raises(LimitExceeded, match=r"5000001 bytes in 1 pages.* 5 MB \(MEMBERSHIPS_EXPORT_MAX_MEGABYTES\)"):
        check_size(Progress(pages=1, bytes=5_000_001, cursor=cursor), POLICY)


def test_the_time_of_an_export_begins_with_its_first_worker() -> None:
    export = an_export(started_at=REQUESTED_AT, progress=Progress(pages=7, rows=9, cursor="more"))
    check_time(export, REQUESTED_AT + timedelta(hours=2, seconds=-1), POLICY)
    with pytest.raises(
        LimitExceeded, match=r"After 2 hours 7 pages and 9 memberships .*\(MEMBERSHIPS_EXPORT_MAX_HOURS\)"
    ):
        check_time(export, REQUESTED_AT + timedelta(hours=2), POLICY)


def test_a_redrive_gives_all_the_time_again() -> None:
    later = REQUESTED_AT + timedelta(days=3)
    failed = an_export(status=ExportStatus.FAILED, started_at=REQUESTED_AT)
    redriven = held.claim(lifecycle.redrive(failed, later, POLICY), "worker", later, POLICY)
    check_time(redriven, later + timedelta(hours=1), POLICY)
    with pytest.raises(LimitExceeded):
        check_time(redriven, later + timedelta(hours=2), POLICY)
