import json

import pytest

from memberships_export.adapters.mail.sendgrid.events import SendGridWebhook
from memberships_export.entrypoints.api.problem_route import LONGEST_BODY
from rig.services.sendgrid_webhook import EventSigner
from tests.fakes.world import SILENT, World
from tests.unit.api.service import SIGNATURE, TIMESTAMP, Service, assert_problem, exports_api, own_app, signed

PATH = "/webhooks/sendgrid"


def silently_sent(service: Service) -> str:
    """An export whose send nobody can judge until the mail service tells."""
    service.world.mailer.script.append(SILENT)
    export_id = str(service.get("/memberships/export").json()["exportId"])
    service.world.work()
    assert service.world.store.records[export_id].status == "waiting"
    return export_id


def batch(*export_ids: str) -> bytes:
    return json.dumps([{"exportId": export_id} for export_id in export_ids]).encode()


def test_a_signed_event_changes_the_record_and_is_answered_with_204(service: Service) -> None:
    export_id = silently_sent(service)
    body = batch(export_id)
    response = service.client.post(PATH, content=body, headers=signed(body))
    assert (response.status_code, response.content) == (204, b"")
    assert service.get(f"/memberships/exports/{export_id}").json()["status"] == "completed"


def test_a_batch_may_come_twice_and_name_exports_that_nobody_knows(service: Service) -> None:
    export_id = silently_sent(service)
    body = batch("nobody-knows", export_id, export_id)
    answers = [service.client.post(PATH, content=body, headers=signed(body)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert len(service.world.mails) == 1


def test_events_without_a_good_signature_change_nothing(service: Service) -> None:
    export_id = silently_sent(service)
    body = batch(export_id)
    good = signed(body)
    forgeries = [
        {},
        {SIGNATURE: good[SIGNATURE]},
        {TIMESTAMP: good[TIMESTAMP]},
        good | {SIGNATURE: "0" * 64},
        good | {SIGNATURE: ""},
        good | {TIMESTAMP: "2"},
        signed(body + b" "),
    ]
    before = dict(service.world.store.records)
    for headers in forgeries:
        assert_problem(service.client.post(PATH, content=body, headers=headers), 403, "forged_events")
    assert service.world.store.records == before


@pytest.mark.parametrize("missing", [SIGNATURE, TIMESTAMP])
def test_a_missing_signature_is_told_from_a_wrong_one(service: Service, missing: str) -> None:
    headers = {name: value for name, value in signed(b"[]").items() if name != missing}
    problem = assert_problem(service.client.post(PATH, content=b"[]", headers=headers), 403, "forged_events")
    assert f"{missing} " in problem["detail"]


def test_a_users_token_does_not_replace_the_signature(service: Service) -> None:
    assert_problem(service.post(PATH, content=b"[]"), 403, "forged_events")


def test_a_signed_body_that_is_no_batch_is_refused(service: Service) -> None:
    assert_problem(service.client.post(PATH, content=b"{}", headers=signed(b"{}")), 422, "malformed_events")


def test_a_body_of_a_mebibyte_is_read_and_a_longer_one_is_not(service: Service) -> None:
    longest = b"[]".ljust(LONGEST_BODY)
    assert service.client.post(PATH, content=longest, headers=signed(longest)).status_code == 204
    longer = longest + b" "
    assert_problem(service.client.post(PATH, content=longer, headers=signed(longer)), 413, "body_too_large")


def test_a_long_body_is_refused_on_the_other_routes_too(service: Service) -> None:
    long = b'{"preset": "raw"}'.ljust(LONGEST_BODY + 1)
    response = service.post("/memberships/exports", content=long, headers={"Content-Type": "application/json"})
    assert_problem(response, 413, "body_too_large")
    assert service.nothing_happened()


@pytest.mark.parametrize("headers", [{}, signed(b"[]")], ids=["unsigned", "signed"])
def test_without_a_key_all_events_are_refused_and_the_setting_is_named(headers: dict[str, str]) -> None:
    world = World()
    service = Service(world, own_app(exports_api(world)))
    response = service.client.post(PATH, content=b"[]", headers=headers)
    problem = assert_problem(response, 403, "webhook_not_configured")
    assert "MEMBERSHIPS_EXPORT_SENDGRID_WEBHOOK_KEY" in problem["detail"]


def test_a_batch_signed_as_sendgrid_does_passes_the_real_check_and_a_forged_one_does_not() -> None:
    world, signer = World(), EventSigner()
    service = Service(world, own_app(exports_api(world, webhook=SendGridWebhook(signer.public_key))))
    export_id = silently_sent(service)
    event = {"event": "delivered", "export_id": export_id, "send_intent": f"{export_id}:1"}
    good, forged = signer.sign([event]), EventSigner().sign([event])
    assert_problem(service.client.post(PATH, content=forged.body, headers=forged.headers), 403, "forged_events")
    assert service.client.post(PATH, content=good.body, headers=good.headers).status_code == 204
    body = service.get(f"/memberships/exports/{export_id}").json()
    assert (body["status"], body["delivery"]["status"]) == ("completed", "delivered")
