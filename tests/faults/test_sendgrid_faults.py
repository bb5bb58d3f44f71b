"""Whatever SendGrid does, the evidence decides: nothing is lost, and nothing is mailed twice without saying so."""

from datetime import timedelta

import pytest

from memberships_export.adapters.mail.sendgrid import client
from memberships_export.adapters.mail.sendgrid.client import SendGrid, SendGridSettings
from memberships_export.adapters.mail.sendgrid.events import SendGridWebhook
from memberships_export.domain.export.record import Delivery, Evidence, Export, ExportStatus
from memberships_export.domain.mail.sender import Sender
from rig.services.fake_sendgrid import FakeSendGrid
from rig.services.sendgrid_behaviour import (
    ACCEPT,
    ACCEPT_THEN_500,
    ACCEPT_THEN_HANG,
    ACCEPT_THEN_RESET,
    HANG,
    REDIRECT,
    Behaviour,
    status,
)
from rig.waiting import PATIENCE_SECONDS
from tests.fakes.impatience import limit_begins_with
from tests.fakes.world import World

QUARTER = timedelta(minutes=16)
E = Evidence
SILENT = (ACCEPT_THEN_HANG, HANG)


def world_over(fake: FakeSendGrid) -> World:
    """Return a world whose mailer has much patience."""
    world = World(7)
    has_patience(world, fake, PATIENCE_SECONDS)
    return world


def has_patience(world: World, fake: FakeSendGrid, seconds: float) -> None:
    """Give the world a mailer that leaves a call so much time in all."""
    settings = SendGridSettings(
        base_url=fake.url,
        sender=Sender(address="exports@example.org"),
        api_key=lambda: "SG.not-a-real-key",
        read_seconds=PATIENCE_SECONDS,
        total_seconds=seconds,
    )
    world.mailer = SendGrid(settings, world.clock)  # type: ignore[assignment]
    world.services = world.over(world.ports)


def run(world: World) -> Export:
    export = world.request()
    world.work()
    return world.export(export)


def run_into(behaviour: Behaviour, world: World, fake: FakeSendGrid, monkeypatch: pytest.MonkeyPatch) -> Export:
    """Do that where the first mail may meet silence, which is left; later ones are given all the time they need."""
    if behaviour not in SILENT:
        return run(world)
    with monkeypatch.context() as patch:
        limit_begins_with(fake.endless, client, patch)
        has_patience(world, fake, 0.2)
        export = run(world)
    has_patience(world, fake, PATIENCE_SECONDS)
    return export


@pytest.mark.parametrize(
    "behaviour, evidence",
    [
        (status(401, b'{"errors":[{"message":"Maximum credits exceeded"}]}'), E.REFUSED),
        (status(403), E.REFUSED),
        (status(429, X_RateLimit_Reset="1772366460"), E.REFUSED),
        (status(503), E.REFUSED),
    ],
)
def test_a_refusal_that_will_pass_is_followed_by_one_mail(behaviour: Behaviour, evidence: Evidence) -> None:
    with FakeSendGrid([behaviour]) as fake:
        world = world_over(fake)
        waiting = run(world)
        assert waiting.status is ExportStatus.WAITING
        assert waiting.sends[0].evidence is evidence
        world.pass_time()
        done = world.export(waiting)
        assert (done.status, len(fake.accepted)) == (ExportStatus.COMPLETED, 1)
        assert not done.sends[1].possible_duplicate


@pytest.mark.parametrize("code", [400, 404, 405, 406])
def test_a_refusal_for_good_fails_the_export_with_sendgrids_words(code: int) -> None:
    answer = status(code, b'{"errors":[{"message":"The from address is not verified"}]}')
    with FakeSendGrid([answer]) as fake:
        world = world_over(fake)
        failed = run(world)
    assert failed.failure is not None
    assert failed.failure.code == "mail_refused"
    assert f"{code}" in failed.failure.reason
    assert "not verified" in failed.failure.reason
    assert len(world.dead_letters.letters) == 1


def test_too_large_becomes_a_link_at_once() -> None:
    with FakeSendGrid([status(413)]) as fake:
        world = world_over(fake)
        assert run(world).status is ExportStatus.COMPLETED
        (mail,) = fake.accepted
        assert mail.attachment is None
        assert "/download/" in mail.text


@pytest.mark.parametrize(
    "behaviour, evidence",
    [
        (ACCEPT_THEN_RESET, E.SILENT),
        (ACCEPT_THEN_HANG, E.SILENT),
        (ACCEPT_THEN_500, E.DOUBTFUL),
    ],
)
def test_an_accepted_mail_whose_answer_was_lost_is_settled_by_its_event_without_a_second_mail(
    behaviour: Behaviour, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSendGrid([behaviour]) as fake:
        world = world_over(fake)
        waiting = run_into(behaviour, world, fake, monkeypatch)
        assert waiting.sends[0].evidence is evidence
        batch = fake.signer.events_for(fake.accepted[0], ["processed", "delivered"])
        webhook = SendGridWebhook(fake.signer.public_key)
        world.services.record_mail_events(webhook.read(batch.signature, batch.timestamp, batch.body))
        world.pass_time(QUARTER, steps=3)
        done = world.export(waiting)
        assert (done.status, done.delivery, fake.requests) == (ExportStatus.COMPLETED, Delivery.DELIVERED, 1)


@pytest.mark.parametrize(
    "behaviour, mails",
    [
        (ACCEPT_THEN_RESET, 2),
        (ACCEPT_THEN_HANG, 2),
        (ACCEPT_THEN_500, 2),
        (HANG, 1),
        (status(500), 1),
        (status(502), 1),
        (status(200), 1),
        (REDIRECT, 1),
    ],
)
def test_an_unclear_send_without_an_event_is_sent_once_more_and_says_so(
    behaviour: Behaviour, mails: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSendGrid([behaviour]) as fake:
        world = world_over(fake)
        waiting = run_into(behaviour, world, fake, monkeypatch)
        assert waiting.status is ExportStatus.WAITING
        world.pass_time(timedelta(minutes=14))
        assert fake.requests == 1
        world.pass_time(timedelta(minutes=2), steps=3)
        assert world.export(waiting).status is ExportStatus.COMPLETED
        assert (fake.requests, len(fake.accepted)) == (2, mails)
        assert "second copy" in fake.accepted[-1].text


def test_an_outage_of_hours_costs_no_mail_and_no_letter() -> None:
    with FakeSendGrid([status(503)] * 20 + [ACCEPT]) as fake:
        world = world_over(fake)
        export = run(world)
        world.pass_time(timedelta(minutes=16), steps=24)
        assert world.export(export).status is ExportStatus.COMPLETED
        assert (len(fake.accepted), len(world.dead_letters.letters)) == (1, 0)
        assert len(world.source.calls) == 3, "nothing is fetched again for a mail"
