"""Whatever an SMTP server does, the evidence decides: nothing is lost, nothing is mailed twice without saying so."""

from datetime import timedelta

import pytest

from memberships_export.adapters.mail.smtp import client
from memberships_export.domain.export.record import Evidence, Export, ExportStatus
from rig.services.fake_smtp import FakeSmtp, Offer, ReceivedMail
from rig.services.smtp_behaviour import (
    ACCEPT,
    ACCEPT_THEN_CLOSE,
    ACCEPT_THEN_HANG,
    ACCEPT_THEN_RESET,
    HANG,
    Behaviour,
    End,
    Step,
    answers,
    cut_content_after,
    ends,
)
from rig.waiting import until
from tests.contract.mailers import read_eml, smtp
from tests.fakes.impatience import limit_begins_with
from tests.fakes.world import World

QUARTER = timedelta(minutes=16)
E = Evidence


def world_over(fake: FakeSmtp, **changes: object) -> World:
    """Return a world whose mailer has much patience."""
    world = World(7)
    mail_with(world, fake, **changes)
    return world


def mail_with(world: World, fake: FakeSmtp, **changes: object) -> None:
    world.mailer = smtp(fake.port, **changes)  # type: ignore[assignment]
    world.services = world.over(world.ports)


def run(world: World) -> Export:
    export = world.request()
    world.work()
    return world.export(export)


def run_into_silence(world: World, fake: FakeSmtp, monkeypatch: pytest.MonkeyPatch) -> Export:
    """Do that where the first mail meets silence, which is left; later ones are given all the time they need."""
    with monkeypatch.context() as patch:
        limit_begins_with(fake.endless, client, patch)
        mail_with(world, fake, total_seconds=0.2)
        export = run(world)
    mail_with(world, fake)
    return export


def text_of(mail: ReceivedMail) -> str:
    body = read_eml(mail.content).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(Step.CONNECT, "421 4.3.2 busy"),
        answers(Step.MAIL, "451 4.3.0 later"),
        answers(Step.RCPT, "450 4.2.0 greylisted"),
        answers(Step.RCPT, "452 4.2.2 mailbox full"),
        answers(Step.DATA, "421 4.3.2 closing"),
        answers(Step.DOT, "451 4.7.1 try again"),
        answers(Step.MAIL, "530 5.7.0 log in first"),
        answers(Step.CONNECT, "554 5.7.1 blocked"),
        *(ends(step, end) for step in (Step.CONNECT, Step.RCPT, Step.DATA) for end in (End.CLOSE, End.RESET)),
    ],
)
def test_a_refusal_that_will_pass_is_followed_by_one_mail(behaviour: Behaviour) -> None:
    with FakeSmtp([behaviour]) as fake:
        world = world_over(fake)
        waiting = run(world)
        assert waiting.status is ExportStatus.WAITING
        assert waiting.sends[0].evidence is E.REFUSED
        world.pass_time()
        done = world.export(waiting)
        assert (done.status, len(fake.accepted)) == (ExportStatus.COMPLETED, 1)
        assert not done.sends[1].possible_duplicate
        assert "second copy" not in text_of(fake.accepted[0])


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
def test_a_refusal_for_good_fails_the_export_with_the_words_of_the_server(step: Step) -> None:
    with FakeSmtp([answers(step, "550 5.1.1 no such mailbox")]) as fake:
        world = world_over(fake)
        failed = run(world)
    assert failed.failure is not None
    assert failed.failure.code == "mail_refused"
    assert "550" in failed.failure.reason
    assert "no such mailbox" in failed.failure.reason
    assert len(world.dead_letters.letters) == 1


@pytest.mark.parametrize(
    "behaviour", [answers(step, "552 5.3.4 too big") for step in (Step.MAIL, Step.RCPT, Step.DATA, Step.DOT)]
)
def test_too_large_becomes_a_link_at_once(behaviour: Behaviour) -> None:
    with FakeSmtp([behaviour]) as fake:
        world = world_over(fake)
        assert run(world).status is ExportStatus.COMPLETED
        (mail,) = fake.accepted
    assert not list(read_eml(mail.content).iter_attachments())
    assert "/download/" in text_of(mail)


def test_what_the_server_says_it_does_not_take_becomes_a_link_without_being_offered() -> None:
    with FakeSmtp() as fake:
        world = world_over(fake)
        run(world)
        (with_file,) = fake.accepted
    with FakeSmtp(offer=Offer(size=str(len(with_file.content) - 200))) as fake:
        assert run(world_over(fake)).status is ExportStatus.COMPLETED
        (mail,) = fake.mails
    assert "/download/" in text_of(mail)


@pytest.mark.parametrize(
    "behaviour, evidence, mails",
    [
        (ACCEPT_THEN_RESET, E.SILENT, 2),
        (ACCEPT_THEN_CLOSE, E.SILENT, 2),
        (ACCEPT_THEN_HANG, E.SILENT, 2),
        (HANG, E.SILENT, 1),
        (cut_content_after(100), E.SILENT, 1),  # so small a mail had left, with its dot
        (answers(Step.DOT, "what", accepts=True), E.DOUBTFUL, 2),
    ],
)
def test_an_unclear_send_is_sent_once_more_and_says_so(
    behaviour: Behaviour, evidence: Evidence, mails: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeSmtp([behaviour]) as fake:
        world = world_over(fake)
        waiting = run_into_silence(world, fake, monkeypatch) if behaviour.end is End.HANG else run(world)
        until(lambda: fake.mails or behaviour.at is Step.CONTENT, "the mail", progress=lambda: fake.connections)
        assert (waiting.status, waiting.sends[0].evidence) == (ExportStatus.WAITING, evidence)
        world.pass_time(timedelta(minutes=14))
        assert fake.connections == 1
        world.pass_time(timedelta(minutes=2), steps=3)
        assert world.export(waiting).status is ExportStatus.COMPLETED
        assert (fake.connections, len(fake.accepted)) == (2, mails)
        assert "second copy" in text_of(fake.accepted[-1])


def test_trouble_behind_the_acceptance_is_no_second_mail() -> None:
    with FakeSmtp([ends(Step.QUIT, End.RESET)]) as fake:
        world = world_over(fake)
        assert run(world).status is ExportStatus.COMPLETED
        world.pass_time(QUARTER, steps=3)
        assert fake.connections == 1


def test_a_password_that_is_mended_after_hours_costs_no_letter_and_one_mail() -> None:
    with FakeSmtp(offer=Offer(login=("u", "right"))) as fake:
        passwords = ["wrong"]
        world = world_over(fake, user="u", password=lambda: passwords[-1])
        export = run(world)
        world.pass_time(QUARTER, steps=20)
        assert world.export(export).status is ExportStatus.WAITING
        passwords.append("right")
        world.pass_time(QUARTER, steps=2)
        assert world.export(export).status is ExportStatus.COMPLETED
        assert (len(fake.accepted), len(world.dead_letters.letters)) == (1, 0)


def test_an_outage_of_hours_costs_no_mail_and_no_letter() -> None:
    with FakeSmtp([answers(Step.CONNECT, "421 4.3.2 down")] * 20 + [ACCEPT]) as fake:
        world = world_over(fake)
        export = run(world)
        world.pass_time(QUARTER, steps=24)
        assert world.export(export).status is ExportStatus.COMPLETED
        assert (len(fake.accepted), len(world.dead_letters.letters)) == (1, 0)
        assert len(world.source.calls) == 3, "nothing is fetched again for a mail"
