from memberships_export.domain.audit import Action, Actor, Outcome
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.export.record import ExportStatus
from tests.unit.api.service import UNKNOWN_ID, Service, assert_problem, bearer, token_for


def started(service: Service) -> str:
    return str(service.get("/memberships/export").json()["exportId"])


def test_a_finished_export_is_erased_and_the_answer_tells_what_it_was(service: Service) -> None:
    export_id = started(service)
    service.world.work()
    response = service.delete(f"/memberships/exports/{export_id}")
    assert response.status_code == 200
    told = response.json()
    assert (told["exportId"], told["outcome"], told["rows"]) == (export_id, ExportStatus.COMPLETED, 7)
    assert set(told) == {"exportId", "requestedAt", "erasedAt", "outcome", "rows"}, "nothing that names a person"
    assert_problem(service.get(f"/memberships/exports/{export_id}"), 404, "unknown_export")
    assert_problem(service.get(f"/memberships/exports/{export_id}/file"), 404, "unknown_export")
    assert service.get("/memberships/exports").json() == {"items": []}
    assert not service.world.files.content


def test_erasing_again_gives_the_same_answer_also_later(service: Service) -> None:
    path = f"/memberships/exports/{started(service)}"
    first = service.delete(path)
    assert service.delete(path).json() == first.json()
    service.world.pass_time()
    again = service.delete(path)
    assert (again.status_code, again.json()) == (200, first.json())


def test_an_export_under_way_is_erased_and_neither_made_nor_mailed(service: Service) -> None:
    export_id = started(service)
    assert service.delete(f"/memberships/exports/{export_id}").json()["outcome"] == "queued"
    service.world.work()
    assert not service.world.mails
    assert not service.world.dead_letters.letters
    assert started(service) != export_id


def test_nobody_else_can_tell_an_export_that_is_or_was_from_one_that_never_was(service: Service) -> None:
    path = f"/memberships/exports/{started(service)}"
    other = bearer(token_for("user-2"))
    never = assert_problem(service.delete(f"/memberships/exports/{UNKNOWN_ID}"), 404, "unknown_export")
    there = assert_problem(service.delete(path, headers=other), 404, "unknown_export")
    service.delete(path)
    gone = assert_problem(service.delete(path, headers=other), 404, "unknown_export")
    assert never["detail"] == there["detail"] == gone["detail"]


def test_without_a_token_nothing_is_erased(service: Service) -> None:
    path = f"/memberships/exports/{started(service)}"
    assert_problem(service.delete(path, headers={"Authorization": "Bearer wrong"}), 401, "invalid_token")
    assert service.get(path).status_code == 200


def test_erasing_is_noted_in_the_audit_log_or_refused(service: Service) -> None:
    path = f"/memberships/exports/{started(service)}"
    service.world.audit.trouble = StorageUnavailable("away")
    assert_problem(service.delete(path), 503, "storage_unavailable")
    assert service.get(path).status_code == 200
    service.world.audit.trouble = None
    service.delete(path)
    (entry,) = [one for one in service.world.audit.entries if one.action is Action.DATA_ERASED]
    assert (entry.actor, entry.outcome, entry.who) == (Actor.MEMBER, Outcome.DONE, entry.about)


def test_a_record_that_cannot_be_read_is_told_to_its_user_and_erased_by_them_only(service: Service) -> None:
    path = f"/memberships/exports/{started(service)}"
    (export,) = service.world.store.records.values()
    service.world.store.spoil(export)
    other = bearer(token_for("user-2"))
    assert_problem(service.get(path), 503, "unreadable_record")
    assert_problem(service.get(path, headers=other), 404, "unknown_export")
    assert_problem(service.delete(path, headers=other), 404, "unknown_export")
    told = service.delete(path).json()
    assert (told["exportId"], told["outcome"], told["rows"]) == (export.export_id, None, None)
    assert service.delete(path).json() == told
    assert not service.world.store.unreadable
