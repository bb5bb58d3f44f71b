from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from memberships_export.ports import Download
from tests.fakes.memory import MemoryFiles
from tests.fakes.world import LINKS, REFUSED_FOR_GOOD, REFUSED_FOR_NOW, World
from tests.unit.api.service import UNKNOWN_ID, Service, assert_problem, exports_api, own_app

SAME = {"X-Request-Id": "one"}  # else each answer has an id of its own


def started(service: Service) -> str:
    return str(service.get("/memberships/export").json()["exportId"])


def finished(service: Service) -> str:
    export_id = started(service)
    service.world.work()
    return export_id


def link_path(service: Service, export_id: str) -> str:
    return LINKS.url(service.world.store.records[export_id]).removeprefix(LINKS.public_url)


def test_the_status_of_a_finished_export_has_all_that_is_needed_to_check_the_file(service: Service) -> None:
    export_id = finished(service)
    body = service.get(f"/memberships/exports/{export_id}").json()
    content = service.get(body["file"]["url"]).content
    assert (body["status"], body["statusText"], body["stage"]) == ("completed", "Export completed", None)
    assert body["progress"] == {"rows": 7, "total": 7, "percent": 100, "pages": 3}
    assert body["file"]["rows"] == 7
    assert body["file"]["bytes"] == len(content)
    assert body["file"]["sha256"] == sha256(content).hexdigest()
    assert body["file"]["available"] is True
    assert body["delivery"] == {"status": "accepted", "possibleDuplicate": False, "detail": None}
    assert body["error"] is body["trouble"] is None


def test_a_waiting_export_says_what_is_in_the_way_and_when_it_is_tried_again(service: Service) -> None:
    service.world.mailer.script.append(REFUSED_FOR_NOW)
    export_id = finished(service)
    response = service.get(f"/memberships/exports/{export_id}")
    body = response.json()
    assert (body["status"], body["stage"], body["trouble"]["stage"]) == ("waiting", "deliver", "deliver")
    assert body["trouble"]["code"] == "mail_refused_for_now"
    assert body["nextAttemptAt"] > body["requestedAt"]
    assert int(response.headers["Retry-After"]) >= 1


def test_a_failed_export_says_why(service: Service) -> None:
    service.world.mailer.script.append(REFUSED_FOR_GOOD)
    body = service.get(f"/memberships/exports/{finished(service)}").json()
    assert (body["status"], body["stage"], body["error"]["stage"]) == ("failed", "deliver", "deliver")
    assert body["error"]["code"] == "mail_refused"
    assert body["links"]["resend"] is not None


def test_exports_are_listed_newest_first_up_to_the_limit(service: Service) -> None:
    ids = []
    for _ in range(3):
        ids.append(finished(service))
        service.world.clock.advance(timedelta(seconds=1))
    listed = [item["exportId"] for item in service.get("/memberships/exports").json()["items"]]
    assert listed == ids[::-1]
    limited = [item["exportId"] for item in service.get("/memberships/exports?limit=1").json()["items"]]
    assert limited == ids[-1:]


@pytest.mark.parametrize("limit", ["0", "101", "x", "-1", "1.5", ""])
def test_a_limit_out_of_range_is_refused_by_name(service: Service, limit: str) -> None:
    problem = assert_problem(service.get(f"/memberships/exports?limit={limit}"), 422, "invalid_request")
    assert [wrong["parameter"] for wrong in problem["errors"]] == ["limit"]
    assert "limit" in problem["detail"]


@pytest.mark.parametrize("limit", [1, 100])
def test_the_ends_of_the_range_are_good(service: Service, limit: int) -> None:
    assert service.get(f"/memberships/exports?limit={limit}").json() == {"items": []}


def test_the_file_comes_as_stored_and_as_a_download(service: Service) -> None:
    export_id = finished(service)
    record = service.world.store.records[export_id]
    response = service.get(f"/memberships/exports/{export_id}/file")
    assert record.file is not None
    assert response.status_code == 200
    assert response.content == service.world.files.content[record.file.key]
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="memberships-2026-03-01.csv"'
    assert response.headers["Content-Length"] == str(record.file.bytes)


@pytest.mark.parametrize("place", ["/file", "link"])
@pytest.mark.parametrize(
    "kind, content_type, begin",
    [
        ("csv", "text/csv; charset=utf-8", b"\xef\xbb\xbf"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04"),
        ("jsonl", "application/jsonl", b'{"id":'),
    ],
)
def test_each_format_is_served_as_what_it_is(
    service: Service, kind: str, content_type: str, begin: bytes, place: str
) -> None:
    export_id = str(service.post("/memberships/exports", json={"format": kind}).json()["exportId"])
    service.world.work()
    path = link_path(service, export_id) if place == "link" else f"/memberships/exports/{export_id}/file"
    response = service.get(path)
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Disposition"] == f'attachment; filename="memberships-2026-03-01.{kind}"'
    assert response.content.startswith(begin)
    assert "Accept-Ranges" not in response.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("place", ["/file", "link"])
def test_a_download_names_its_digest_as_rfc_9530_writes_it(service: Service, place: str, method: str) -> None:
    export_id = finished(service)
    path = link_path(service, export_id) if place == "link" else f"/memberships/exports/{export_id}/file"
    content = service.get(path).content
    digest = b64encode(sha256(content).digest()).decode()
    assert service.call(method, path).headers["Repr-Digest"] == f"sha-256=:{digest}:"


def test_a_file_that_is_not_ready_yet_is_a_conflict_and_not_gone(service: Service) -> None:
    response = service.get(f"/memberships/exports/{started(service)}/file")
    assert_problem(response, 409, "file_not_ready")
    assert int(response.headers["Retry-After"]) >= 1


def test_an_expired_file_is_gone_by_route_and_by_link(service: Service) -> None:
    export_id = finished(service)
    link = link_path(service, export_id)
    service.world.clock.advance(service.world.policy.keep_files)
    assert_problem(service.get(f"/memberships/exports/{export_id}/file"), 410, "file_gone")
    assert_problem(service.client.get(link), 410, "file_gone")
    assert service.get(f"/memberships/exports/{export_id}").json()["file"]["url"] is None


def test_the_file_of_a_cancelled_export_never_was(service: Service) -> None:
    export_id = started(service)
    service.post(f"/memberships/exports/{export_id}/cancel")
    assert_problem(service.get(f"/memberships/exports/{export_id}/file"), 410, "file_gone")


def test_a_link_gives_the_file_without_login_however_often_it_is_fetched(service: Service) -> None:
    export_id = finished(service)
    before = service.world.store.records[export_id]
    answers = [service.client.get(link_path(service, export_id)) for _ in range(10)]
    expected = service.get(f"/memberships/exports/{export_id}/file").content
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in answers} == {expected}
    assert answers[0].headers["Referrer-Policy"] == "no-referrer"
    after = service.world.store.records[export_id]
    assert replace(after, revision=before.revision, timeline=before.timeline) == before


def test_a_wrong_or_foreign_link_is_answered_like_an_unknown_export(service: Service) -> None:
    export_id = finished(service)
    link = link_path(service, export_id)
    token = link.rpartition("/")[2]
    wrong = [f"{link}x", link[:-1], link.replace(token, "x"), link.replace(token, "%C3%A9"), f"{link[:-1]}%00"]
    answers = [service.client.get(path) for path in wrong]
    unknown = service.client.get(link.replace(export_id, UNKNOWN_ID))
    for answer in answers:
        assert_problem(answer, 404, "unknown_export")
        assert answer.text == unknown.text.replace(UNKNOWN_ID, export_id)


def test_a_link_does_not_open_the_export_of_another(service: Service) -> None:
    own, other = finished(service), finished(service)
    token = link_path(service, own).rpartition("/")[2]
    assert_problem(service.client.get(f"/memberships/exports/{other}/download/{token}"), 404, "unknown_export")


def test_a_bearer_token_does_not_replace_the_token_of_the_link(service: Service) -> None:
    export_id = finished(service)
    assert_problem(service.get(f"/memberships/exports/{export_id}/download/x"), 404, "unknown_export")


def test_sending_the_file_again_revokes_the_links_mailed_before(service: Service) -> None:
    export_id = finished(service)
    old = link_path(service, export_id)
    service.post(f"/memberships/exports/{export_id}/resend")
    assert_problem(service.client.get(old), 404, "unknown_export")
    assert service.client.get(link_path(service, export_id)).status_code == 200


class SigningFiles(MemoryFiles):
    """FileStore that can sign URLs, as S3 does."""

    def signed_url(self, key: str, download: Download, seconds: int) -> str | None:
        return f"https://files.example.org/{key}?name={download.filename}&expires={seconds}&signature=a%2Bb"


@pytest.fixture
def signing() -> Iterator[Service]:
    world = World()
    world.files = SigningFiles()
    world.services = world.over(replace(world.ports, files=world.files))
    service = Service(world, own_app(exports_api(world)))
    with service.client:
        yield service


def test_a_store_that_signs_urls_is_redirected_to(signing: Service) -> None:
    export_id = finished(signing)
    by_route = signing.get(f"/memberships/exports/{export_id}/file")
    by_link = signing.client.get(link_path(signing, export_id), follow_redirects=False)
    assert by_route.status_code == by_link.status_code == 307
    assert by_route.headers["Location"] == by_link.headers["Location"]
    assert by_route.headers["Location"].endswith("expires=60&signature=a%2Bb")
    assert "Repr-Digest" not in {*by_route.headers, *by_link.headers}, "it would be the digest of the redirect itself"
    assert by_route.headers["Cache-Control"] == by_link.headers["Cache-Control"] == "no-store"


def test_head_is_not_redirected_because_the_url_is_signed_for_get(signing: Service) -> None:
    export_id = finished(signing)
    for path in (f"/memberships/exports/{export_id}/file", link_path(signing, export_id)):
        head = signing.call("HEAD", path)
        size = signing.get(f"/memberships/exports/{export_id}").json()["file"]["bytes"]
        assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(size))
        assert head.headers["Repr-Digest"].startswith("sha-256=:")


@pytest.mark.parametrize("place", ["/file", "link", "/healthz", "/readyz"])
def test_head_answers_as_get_without_the_body(service: Service, place: str) -> None:
    export_id = finished(service)
    places = {"link": link_path(service, export_id), "/file": f"/memberships/exports/{export_id}/file"}
    get, head = (service.call(method, places.get(place, place), headers=SAME) for method in ("GET", "HEAD"))
    assert (get.status_code, head.status_code, head.content) == (200, 200, b"")
    assert dict(head.headers) == dict(get.headers)
    assert int(head.headers["Content-Length"]) == len(get.content)


def test_head_of_a_file_reads_nothing_of_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/memberships/exports/{finished(service)}/file"
    read: list[str] = []

    def stream(key: str) -> Iterator[bytes]:
        read.append(key)
        yield b""

    monkeypatch.setattr(service.world.files, "stream", stream)
    assert service.call("HEAD", path).status_code == 200
    assert read == []


@pytest.mark.parametrize("route, status", [("/file", 409), ("/download/x", 404)])
def test_head_of_what_is_not_there_says_so_without_the_body(service: Service, route: str, status: int) -> None:
    path = f"/memberships/exports/{started(service)}{route}"
    get, head = (service.call(method, path, headers=SAME) for method in ("GET", "HEAD"))
    assert (get.status_code, head.status_code, head.content) == (status, status, b"")
    assert dict(head.headers) == dict(get.headers)


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/memberships/exports/x/file", "/memberships/exports/x/download/y"]
)
def test_other_methods_are_told_that_head_is_possible(service: Service, path: str) -> None:
    assert service.call("DELETE", path).headers["Allow"] == "GET, HEAD"


def test_an_unfinished_export_says_in_plain_words_that_the_service_is_paused() -> None:
    world = World()
    paused = [False]
    service = Service(world, own_app(replace(exports_api(world), is_paused=lambda: paused[0])))
    done = finished(service)
    paused[0] = True
    world.clock.advance(timedelta(seconds=1))  # lists are in the order of time
    response = service.get("/memberships/export")
    assert (response.status_code, response.json()["status"], response.json()["paused"]) == (202, "queued", True)
    assert response.json()["statusText"] == "Paused by the operators of the service; goes on by itself afterwards"
    of_done = service.get(f"/memberships/exports/{done}").json()
    assert (of_done["paused"], of_done["statusText"]) == (False, "Export completed")
    listed = service.get("/memberships/exports").json()["items"]
    assert [one["paused"] for one in listed] == [True, False]
