import pytest

from tests.unit.api.service import UNKNOWN_ID, Service, assert_problem

ROUTES = [("GET", ""), ("GET", "/file"), ("POST", "/cancel"), ("POST", "/resend")]
USERS = ["user-1", "user-2"]
NO_IDS = [
    "x",
    "%00",
    "..%2F..%2Fsecrets",
    UNKNOWN_ID.upper().replace("0", "A"),
    "{" + UNKNOWN_ID + "}",
    UNKNOWN_ID + "%0A",
    "k" * 5000,
    "%F0%9F%92%A9",
]


def finished_export(service: Service, user: str) -> str:
    export_id = str(service.get("/memberships/export", user=user).json()["exportId"])
    service.world.work()
    return export_id


@pytest.mark.parametrize("method, route", ROUTES)
@pytest.mark.parametrize("owner", USERS)
@pytest.mark.parametrize("caller", USERS)
def test_only_the_owner_gets_anywhere(service: Service, method: str, route: str, owner: str, caller: str) -> None:
    export_id = finished_export(service, owner)
    before = dict(service.world.store.records)
    response = service.call(method, f"/memberships/exports/{export_id}{route}", user=caller)
    if caller == owner:
        assert response.status_code == {"/cancel": 409, "/resend": 202}.get(route, 200)
    else:
        assert_problem(response, 404, "unknown_export")
        assert service.world.store.records == before


@pytest.mark.parametrize("method, route", ROUTES)
def test_a_foreign_export_is_answered_exactly_like_one_that_never_was(
    service: Service, method: str, route: str
) -> None:
    foreign_id = finished_export(service, "user-2")
    same_request = {"X-Request-Id": "one"}  # else each answer has an id of its own
    foreign = service.call(method, f"/memberships/exports/{foreign_id}{route}", headers=same_request)
    unknown = service.call(method, f"/memberships/exports/{UNKNOWN_ID}{route}", headers=same_request)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text == unknown.text.replace(UNKNOWN_ID, foreign_id)
    assert foreign.headers == unknown.headers


@pytest.mark.parametrize("method, route", ROUTES)
@pytest.mark.parametrize("no_id", NO_IDS)
def test_what_is_no_id_is_an_unknown_export(service: Service, method: str, route: str, no_id: str) -> None:
    response = service.call(method, f"/memberships/exports/{no_id}{route}")
    assert response.status_code == 404
    assert response.headers["Content-Type"] in {"application/problem+json", "application/json"}


def test_a_list_shows_the_callers_exports_only(service: Service) -> None:
    own, foreign = finished_export(service, "user-1"), finished_export(service, "user-2")
    listed = service.get("/memberships/exports")
    assert [item["exportId"] for item in listed.json()["items"]] == [own]
    assert foreign not in listed.text
    assert "user-2" not in listed.text
