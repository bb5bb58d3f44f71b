from tests.unit.api.service import Service, assert_problem


def started(service: Service) -> str:
    return str(service.get("/memberships/export").json()["exportId"])


def finished(service: Service) -> str:
    export_id = started(service)
    service.world.work()
    return export_id


def test_an_export_under_way_can_be_cancelled_once(service: Service) -> None:
    path = f"/memberships/exports/{started(service)}/cancel"
    response = service.post(path)
    assert (response.status_code, response.json()["status"]) == (200, "cancelled")
    assert response.json()["links"] == {"cancel": None, "resend": None}
    problem = assert_problem(service.post(path), 409, "illegal_transition")
    assert "cancelled" in problem["detail"]


def test_a_cancelled_export_is_neither_made_nor_mailed(service: Service) -> None:
    service.post(f"/memberships/exports/{started(service)}/cancel")
    service.world.work()
    assert not service.world.mails


def test_a_finished_export_cannot_be_cancelled(service: Service) -> None:
    assert_problem(service.post(f"/memberships/exports/{finished(service)}/cancel"), 409, "illegal_transition")


def test_after_a_cancel_a_new_export_can_be_started(service: Service) -> None:
    first = started(service)
    service.post(f"/memberships/exports/{first}/cancel")
    response = service.get("/memberships/export")
    assert (response.status_code, response.json()["exportId"] != first) == (202, True)


def test_a_finished_export_is_mailed_again_on_request(service: Service) -> None:
    export_id = finished(service)
    response = service.post(f"/memberships/exports/{export_id}/resend")
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    assert int(response.headers["Retry-After"]) >= 1
    service.world.work()
    assert len(service.world.mails) == 2
    assert service.get(f"/memberships/exports/{export_id}").json()["status"] == "completed"


def test_an_export_under_way_cannot_be_mailed_again(service: Service) -> None:
    assert_problem(service.post(f"/memberships/exports/{started(service)}/resend"), 409, "illegal_transition")


def test_an_expired_file_cannot_be_mailed_again(service: Service) -> None:
    export_id = finished(service)
    service.world.pass_time(service.world.policy.keep_files)
    problem = assert_problem(service.post(f"/memberships/exports/{export_id}/resend"), 409, "illegal_transition")
    assert "new export" in problem["detail"]
    assert problem["exportId"] == export_id


def test_a_file_is_mailed_so_many_times_an_hour_and_no_more(service: Service) -> None:
    export_id = finished(service)
    for _ in range(service.world.policy.max_exports_per_hour - 1):
        assert service.post(f"/memberships/exports/{export_id}/resend").status_code == 202
        service.world.work()
    response = service.post(f"/memberships/exports/{export_id}/resend")
    assert_problem(response, 429, "rate_limited")
    assert response.headers["Retry-After"] == "3600"
