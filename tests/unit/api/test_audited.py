"""Who did what, as far as a request tells it."""

from collections.abc import Callable

import pytest

from memberships_export.domain.audit import Action, Actor, Audited, Channel, Outcome
from memberships_export.domain.errors import StorageUnavailable
from memberships_export.domain.pseudonyms import pseudonym
from tests.fakes.world import LINKS
from tests.unit.api.service import Service, assert_problem


def started(service: Service) -> str:
    return str(service.get("/memberships/export").json()["exportId"])


def finished(service: Service) -> str:
    export_id = started(service)
    service.world.work()
    return export_id


def the_entry(service: Service) -> Audited:
    (entry,) = service.world.audit.entries
    return entry


def test_asking_following_and_listing_notes_nothing(service: Service) -> None:
    export_id = finished(service)
    service.get(f"/memberships/exports/{export_id}")
    service.get("/memberships/exports")
    service.get("/memberships/exports/options")

    assert service.world.audit.entries == []


@pytest.mark.parametrize(
    "make, what, action",
    [
        (started, "cancel", Action.EXPORT_CANCELLED),
        (finished, "resend", Action.EXPORT_RESENT),
        (finished, "file", Action.FILE_DOWNLOADED),
    ],
)
def test_what_a_member_does_is_noted_under_a_pseudonym(
    service: Service, make: Callable[[Service], str], what: str, action: Action
) -> None:

    export_id = make(service)
    path = f"/memberships/exports/{export_id}/{what}"

    answer = service.get(path) if what == "file" else service.post(path)

    entry, known = the_entry(service), pseudonym("user-1", service.world.ports.audit_key())
    assert answer.is_success
    assert (entry.action, entry.export_id, entry.outcome) == (action, export_id, Outcome.DONE)
    assert (entry.actor, entry.who, entry.about, entry.channel) == (Actor.MEMBER, known, known, Channel.API)


def test_a_link_is_opened_by_nobody_known_about_the_member_it_was_mailed_to(service: Service) -> None:
    export = service.world.store.records[finished(service)]
    token = LINKS.url(export).rsplit("/", 1)[1]

    service.client.get(f"/memberships/exports/{export.export_id}/download/{token}")

    entry = the_entry(service)
    assert (entry.action, entry.channel, entry.who) == (Action.LINK_OPENED, Channel.LINK, "")
    assert entry.about == pseudonym("user-1", service.world.ports.audit_key())
    assert token not in repr(entry)


def test_what_cannot_be_noted_is_answered_with_503_and_not_done(service: Service) -> None:
    export_id = started(service)
    service.world.audit.trouble = StorageUnavailable("disk full at /var/lib")

    problem = assert_problem(service.post(f"/memberships/exports/{export_id}/cancel"), 503, "storage_unavailable")

    assert "disk" not in problem["detail"]
    assert service.world.store.records[export_id].unfinished


def test_the_address_of_a_client_is_that_of_its_connection_whatever_headers_say(service: Service) -> None:
    lies = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7", "X-Real-IP": "198.51.100.7"}
    export_id = started(service)

    service.post(f"/memberships/exports/{export_id}/cancel", headers=lies)

    assert "198.51.100" not in repr(the_entry(service))
