"""What members see of the timeline, and how a download gets onto it."""

import pytest

from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import Export
from tests.unit.api.service import Service
from tests.unit.api.test_reading import finished, link_path


def told(service: Service, export_id: str) -> list[tuple[str, str]]:
    shown = service.get(f"/memberships/exports/{export_id}").json()["timeline"]
    return [(entry["what"], entry["detail"]) for entry in shown]


def test_the_status_tells_what_happened_and_when(service: Service) -> None:
    export_id = finished(service)
    body = service.get(f"/memberships/exports/{export_id}").json()
    assert body["timeline"][0] == {"at": body["requestedAt"], "what": "claimed", "detail": "1"}
    assert told(service, export_id)[-1] == ("completed", "")


def test_a_list_leaves_the_timelines_out(service: Service) -> None:
    finished(service)
    (item,) = service.get("/memberships/exports").json()["items"]
    assert item["timeline"] is None


def test_a_download_is_on_the_timeline_with_how_it_was_got(service: Service) -> None:
    by_token = finished(service)
    assert service.get(f"/memberships/exports/{by_token}/file").status_code == 200
    assert told(service, by_token)[-1] == ("downloaded", "token")
    by_link = finished(service)
    assert service.get(link_path(service, by_link)).status_code == 200
    assert told(service, by_link)[-1] == ("downloaded", "link")


def test_only_looking_whether_a_file_is_there_is_no_download(service: Service) -> None:
    export_id = finished(service)
    assert service.call("HEAD", f"/memberships/exports/{export_id}/file").status_code == 200
    assert told(service, export_id)[-1] == ("completed", "")


def test_a_download_that_cannot_be_noted_is_a_download_all_the_same(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = finished(service)

    def away(_: Export, __: Export) -> Export | None:
        raise StorageUnavailable("It is away.")

    monkeypatch.setattr(service.world.store, "replace", away)
    assert service.get(f"/memberships/exports/{export_id}/file").status_code == 200
    assert told(service, export_id)[-1] == ("completed", "")
