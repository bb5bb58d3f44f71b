from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from memberships_export.domain.export.reasons import detail_for_members, reason_for_members
from memberships_export.domain.export.record import (
    Delivery,
    Evidence,
    Export,
    ExportStatus,
    Failure,
    Send,
    Stage,
    StoredFile,
    Trouble,
)
from memberships_export.domain.source.progress import Progress
from memberships_export.entrypoints.api.schemas import export_view
from tests.factories import REQUESTED_AT, an_export

FILE = StoredFile(
    key="csv/x/1.csv",
    name="memberships-2026-03-01.csv",
    rows=7,
    bytes=420,
    sha256="0" * 64,
    expires_at=REQUESTED_AT + timedelta(days=7),
)


def view(export: Export, base: str = "") -> dict[str, Any]:
    return export_view(export, base, REQUESTED_AT).model_dump(mode="json", by_alias=True)


def a_send(number: int = 1, mailing: int = 1, **changes: Any) -> Send:  # noqa: ANN401  (fields of Send)
    return Send(number=number, mailing=mailing, started_at=REQUESTED_AT, **changes)


@pytest.mark.parametrize(
    "rows, total, percent",
    [(0, None, None), (10, None, None), (0, 0, 0), (0, 3, 0), (1, 3, 33), (999, 1000, 99), (3, 3, 99), (4, 3, 99)],
)
def test_percent_is_never_100_while_there_may_be_more_to_fetch(
    rows: int, total: int | None, percent: int | None
) -> None:
    export = an_export(status=ExportStatus.RUNNING, progress=Progress(rows=rows, total=total))
    assert view(export)["progress"]["percent"] == percent


@pytest.mark.parametrize("stage", [Stage.RENDER, Stage.DELIVER])
@pytest.mark.parametrize("total", [None, 0, 5])
def test_percent_is_100_once_all_rows_are_fetched(stage: Stage, total: int | None) -> None:
    progress = Progress(rows=total or 0, total=total)
    assert view(an_export(stage=stage, progress=progress))["progress"]["percent"] == 100


@pytest.mark.parametrize("status", ExportStatus)
def test_the_stage_is_shown_while_unfinished_and_of_a_failed_export_only(status: ExportStatus) -> None:
    failure = Failure(stage=Stage.RENDER, code="file_missing", reason="gone", at=REQUESTED_AT)
    export = an_export(status=status, failure=failure if status == "failed" else None)
    expected = {"queued": "fetch", "running": "fetch", "waiting": "fetch", "failed": "render"}
    assert view(export)["stage"] == expected.get(status)


def test_a_failed_export_tells_why() -> None:
    failure = Failure(stage=Stage.FETCH, code="foreign_rows", reason="Rows of another user.", at=REQUESTED_AT)
    shown = view(an_export(status=ExportStatus.FAILED, failure=failure))
    assert shown["error"] == {"code": "foreign_rows", "reason": reason_for_members("foreign_rows"), "stage": "fetch"}
    assert shown["trouble"] is None


def test_a_waiting_export_tells_what_it_waits_for_and_until_when() -> None:
    trouble = Trouble(code="memberships_unavailable", reason="503", since=REQUESTED_AT, count=2)
    shown = view(an_export(status=ExportStatus.WAITING, trouble=trouble))
    assert shown["trouble"] == {
        "code": "memberships_unavailable",
        "reason": reason_for_members("memberships_unavailable"),
        "stage": "fetch",
    }
    assert shown["nextAttemptAt"] == "2026-03-01T12:00:30Z"
    assert shown["error"] is None


def test_the_wake_time_of_an_export_that_does_not_wait_is_nobodys_business() -> None:
    assert view(an_export())["nextAttemptAt"] is None


def test_links_lead_to_where_the_routes_are_mounted() -> None:
    export = an_export(status=ExportStatus.COMPLETED, stage=Stage.DELIVER, file=FILE)
    path = f"/api/v2/memberships/exports/{export.export_id}"
    shown = view(export, "/api/v2")
    assert shown["statusUrl"] == path
    assert shown["file"]["url"] == f"{path}/file"
    assert shown["links"] == {"cancel": None, "resend": f"{path}/resend"}


@pytest.mark.parametrize("file", [replace(FILE, deleted=True), replace(FILE, expires_at=REQUESTED_AT)])
def test_a_file_that_is_gone_is_described_but_not_offered(file: StoredFile) -> None:
    shown = view(an_export(status=ExportStatus.COMPLETED, file=file))["file"]
    assert (shown["available"], shown["url"], shown["rows"]) == (False, None, 7)


def test_neither_keys_nor_tokens_of_the_machinery_are_shown() -> None:
    export = an_export(file=FILE, token=3, revision="secret-revision", progress=Progress(cursor="secret-cursor"))
    text = str(view(export))
    assert "secret" not in text
    assert FILE.key not in text


def test_delivery_is_that_of_the_current_mailing() -> None:
    bounced = a_send(evidence=Evidence.ACCEPTED, delivery=Delivery.BOUNCED, detail="550 no such user")
    export = an_export(sends=(bounced,))
    assert view(export)["delivery"] == {
        "status": "bounced",
        "possibleDuplicate": False,
        "detail": detail_for_members(bounced),
    }
    assert view(replace(export, mailing=2))["delivery"] is None


def test_a_send_that_nobody_can_judge_has_no_status_and_its_repetition_is_marked() -> None:
    silent = a_send(evidence=Evidence.SILENT, detail="timeout")
    assert view(an_export(sends=(silent,)))["delivery"]["status"] is None
    repeated = a_send(2, evidence=Evidence.ACCEPTED, delivery=Delivery.ACCEPTED, possible_duplicate=True)
    shown = view(an_export(sends=(silent, repeated)))["delivery"]
    assert (shown["status"], shown["possibleDuplicate"]) == ("accepted", True)
