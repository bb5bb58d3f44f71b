"""Each thing that an SMTP server or the network can do, and exactly what it proves."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from memberships_export.adapters.mail.smtp import client
from memberships_export.adapters.mail.smtp.session import Session
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import Attachment, Mail, SendResult
from memberships_export.domain.mail.sender import Sender
from rig.services.fake_memberships import closed_port
from rig.services.fake_smtp import FakeSmtp, Offer
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
    answers_in_the_middle,
    cut_content_after,
    ends,
)
from rig.waiting import PATIENCE_SECONDS, until
from tests.contract.mailers import FROM, TO, a_mail, read_eml, smtp
from tests.fakes.impatience import limit_begins_with

MESSAGE_ID = "exp-1.1@club.example"
SMALL_BUFFER = 8 * 1024
BEFORE_THE_MAIL = [Step.CONNECT, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA]
NAMES = {
    Step.CONNECT: "greeting",
    Step.EHLO: "EHLO",
    Step.MAIL: "MAIL FROM",
    Step.RCPT: "RCPT TO",
    Step.DATA: "DATA",
    Step.DOT: "the mail",
}


def send(behaviour: Behaviour, mail: Mail | None = None, **changes: float) -> SendResult:
    """Send one mail to a server that does this."""
    with FakeSmtp([behaviour], receive_buffer=SMALL_BUFFER) as fake:
        result = smtp(fake.port, **changes).send(mail or a_mail())
        until(lambda: fake.connections, "the connection that was given up", progress=lambda: fake.connections)
    assert fake.connections == 1, "one attempt, whatever came of it"
    return result


def large_mail() -> Mail:
    """A mail that cannot disappear in the buffers between us and a server that does not read: 12 MB on the wire."""
    return a_mail(attachment=Attachment("m.csv", "text/csv", b"x" * 9_000_000))


def verbs(fake: FakeSmtp) -> list[str]:
    return [command.split()[0].upper() for command in fake.commands]


def refused(detail: str, **fields: object) -> SendResult:
    return SendResult(evidence=Evidence.REFUSED, detail=detail, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", ["250 2.0.0 Ok: queued as 4XyZ", "250", "250-first\n250 last", "251 forwarded"])
def test_an_answer_of_2xx_to_the_whole_mail_is_accepted(answer: str) -> None:
    result = send(answers(Step.DOT, answer, accepts=True))
    assert result == SendResult(evidence=Evidence.ACCEPTED, message_id=MESSAGE_ID)


@pytest.mark.parametrize("step", [*BEFORE_THE_MAIL, Step.DOT])
@pytest.mark.parametrize("code", [421, 450, 451, 452, 454, 499])
def test_a_refusal_for_now_will_pass_wherever_it_comes(step: Step, code: int) -> None:
    assert send(answers(step, f"{code} 4.3.0 later")) == refused(f"SMTP {code} to {NAMES[step]}: 4.3.0 later")


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
@pytest.mark.parametrize("code", [500, 501, 503, 550, 551, 553, 554, 555, 571])
def test_a_mail_that_would_be_refused_again_is_refused_for_good(step: Step, code: int) -> None:
    result = send(answers(step, f"{code} 5.1.1 no"))
    assert result == refused(f"SMTP {code} to {NAMES[step]}: 5.1.1 no", permanent=True)


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
@pytest.mark.parametrize(
    "answer", ["552 5.3.4 too big", "552 too big", "554 5.3.4 too big", "550 5.2.3 too big", "552-too\n552 big"]
)
def test_a_mail_that_is_too_large_may_pass_as_a_link(step: Step, answer: str) -> None:
    result = send(answers(step, answer))
    assert (result.evidence, result.permanent, result.too_large) == (Evidence.REFUSED, False, True)


def test_a_mail_larger_than_the_server_says_it_takes_is_not_even_offered() -> None:
    with FakeSmtp(offer=Offer(size="5000")) as fake:
        result = smtp(fake.port).send(a_mail(attachment=Attachment("m.csv", "text/csv", b"x" * 5000)))
    assert verbs(fake) == ["EHLO", "QUIT"]
    assert (result.evidence, result.permanent, result.too_large) == (Evidence.REFUSED, False, True)
    assert str(result.detail).startswith("The mail is ")
    assert str(result.detail).endswith(" bytes, and the server takes at most 5000.")


@pytest.mark.parametrize("size", [None, "", "0", "x", "-1", "1e9", "9" * 40, "²"])
def test_a_server_that_names_no_limit_is_offered_any_mail(size: str | None) -> None:
    with FakeSmtp(offer=Offer(size=size)) as fake:
        assert smtp(fake.port).send(a_mail()).evidence is Evidence.ACCEPTED
        declared = [command for command in fake.commands if command.startswith("MAIL") and "SIZE=" in command]
        assert bool(declared) is (size is not None)


def test_the_size_that_is_declared_is_that_of_the_mail() -> None:
    with FakeSmtp() as fake:
        smtp(fake.port).send(a_mail())
        [mail] = fake.accepted
        assert f"MAIL FROM:<{FROM}> SIZE={len(mail.content)}" in fake.commands


@pytest.mark.parametrize("step", BEFORE_THE_MAIL)
@pytest.mark.parametrize("end", [End.CLOSE, End.RESET, End.HANG])
def test_a_conversation_that_breaks_before_the_mail_is_a_refusal_that_will_pass(step: Step, end: End) -> None:
    seconds = 0.3 if end is End.HANG else PATIENCE_SECONDS
    result = send(ends(step, end), read_seconds=seconds)
    assert (result.evidence, result.permanent, result.too_large) == (Evidence.REFUSED, False, False)
    assert "failed before the whole mail had left" in str(result.detail)


@pytest.mark.parametrize("step", BEFORE_THE_MAIL)
@pytest.mark.parametrize("end", [End.CLOSE, End.RESET])
def test_an_answer_that_breaks_off_before_the_mail_is_a_refusal_that_will_pass(step: Step, end: End) -> None:
    result = send(Behaviour(at=step, says=b"250-so far\r\n", end=end))
    assert (result.evidence, result.permanent) == (Evidence.REFUSED, False)


@pytest.mark.parametrize("count", [0, 1, 100, *range(500_000, 4_000_001, 500_000)])
def test_a_mail_that_was_cut_off_on_its_way_is_refused_and_never_silent(count: int) -> None:
    result = send(cut_content_after(count), large_mail())
    assert (result.evidence, result.permanent) == (Evidence.REFUSED, False)
    assert "before the whole mail had left" in str(result.detail)


@pytest.fixture
def hurried_from_the_mail_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a server that stops reading soon, and give it all the time it needs until then."""
    announce = client._announce  # noqa: SLF001  (the step before the mail)

    def then_hurry(session: Session, message: Any) -> None:  # noqa: ANN401  (its own)
        announce(session, message)
        session.sock.settimeout(0.3)

    monkeypatch.setattr(client, "_announce", then_hurry)


@pytest.mark.usefixtures("hurried_from_the_mail_on")
def test_a_server_that_stops_reading_is_a_refusal() -> None:
    result = send(ends(Step.CONTENT, End.HANG), large_mail())
    assert result == refused("The connection to the mail server failed before the whole mail had left (TimeoutError).")


@pytest.mark.usefixtures("hurried_from_the_mail_on")
@pytest.mark.parametrize(
    "answer, fields",
    [
        ("552 5.3.4 too big", {"too_large": True}),
        ("554 5.7.1 spam", {"permanent": True}),
        ("451 4.3.0 later", {}),
        ("250 2.0.0 Ok", {}),  # of half a mail nothing proves that it was accepted
    ],
)
def test_an_answer_given_before_the_mail_had_left_is_read(answer: str, fields: dict[str, bool]) -> None:
    result = send(answers_in_the_middle(answer), large_mail())
    code, _, text = answer.partition(" ")
    assert result == refused(f"SMTP {code} to the mail: {text}", **fields)


@pytest.mark.parametrize("behaviour", [ACCEPT_THEN_RESET, ACCEPT_THEN_CLOSE, ACCEPT_THEN_HANG, HANG])
def test_no_answer_after_the_final_dot_is_silence(behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSmtp([behaviour]) as fake:
        limit_begins_with(fake.endless, client, monkeypatch)
        result = smtp(fake.port, total_seconds=0.2 if behaviour.end is End.HANG else PATIENCE_SECONDS).send(a_mail())
    assert result.evidence is Evidence.SILENT
    assert str(result.detail).startswith("The mail server took the mail and did not answer (")


@pytest.mark.parametrize("says", [b"2", b"25", b""])
@pytest.mark.parametrize("end", [End.CLOSE, End.RESET])
def test_an_answer_that_breaks_off_before_it_says_anything_is_silence(says: bytes, end: End) -> None:
    assert send(Behaviour(at=Step.DOT, says=says, accepts=True, end=end)).evidence is Evidence.SILENT


@pytest.mark.parametrize("says", [b"250", b"250 2.0.0 O", b"250-queued\r\n", b"250-queued\r\n25"])
@pytest.mark.parametrize("end", [End.CLOSE, End.RESET])
def test_the_code_is_the_answer_also_when_its_text_breaks_off(says: bytes, end: End) -> None:
    result = send(Behaviour(at=Step.DOT, says=says, accepts=True, end=end))
    assert result.evidence is Evidence.ACCEPTED


def test_whoever_goes_on_for_ever_after_a_yes_is_not_listened_to() -> None:
    endless = Behaviour(at=Step.DOT, says=b"250-queued\r\n", drip=b"250-and more\r\n", accepts=True)
    assert send(endless).evidence is Evidence.ACCEPTED


@pytest.mark.parametrize("text", ["354 go on", "hello", "25x no", "999 what", "099", "220x", "250\tok", "ä" * 5000])
def test_an_answer_that_means_nothing_after_the_final_dot_is_doubtful(text: str) -> None:
    assert send(answers(Step.DOT, text)).evidence is Evidence.DOUBTFUL


@pytest.mark.parametrize("step", BEFORE_THE_MAIL)
@pytest.mark.parametrize("text", ["hello", "999 what", "x" * 5000, "HTTP/1.1 400 Bad Request"])
def test_what_is_no_smtp_is_a_refusal_that_will_pass_while_no_mail_has_left(step: Step, text: str) -> None:
    result = send(answers(step, text))
    assert (result.evidence, result.permanent) == (Evidence.REFUSED, False)


@pytest.mark.parametrize("step", BEFORE_THE_MAIL)
@pytest.mark.parametrize("drip", [b"x", b"250-x\r\n"])
def test_an_answer_that_never_ends_is_cut_off(step: Step, drip: bytes) -> None:
    result = send(Behaviour(at=step, says=b"250-", drip=drip), total_seconds=0.5)
    assert (result.evidence, result.permanent) == (Evidence.REFUSED, False)


def test_an_answer_of_any_number_of_lines_does_not_fill_the_memory() -> None:
    flood = Behaviour(at=Step.EHLO, says=b"250-x\r\n" * 1_000_000)
    result = send(flood)
    assert result == refused("The connection to the mail server failed before the whole mail had left (Unreadable).")


def test_a_verdict_that_drips_is_silence_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeSmtp([Behaviour(at=Step.DOT, says=b"2", drip=b"555")]) as fake:  # never three digits: they would be a code
        limit_begins_with(fake.endless, client, monkeypatch)
        result = smtp(fake.port, total_seconds=0.2).send(a_mail())
    assert result == SendResult(
        evidence=Evidence.SILENT, detail="The mail server took the mail and did not answer (TimeoutError)."
    )


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(Step.QUIT, "500 what"),
        answers(Step.QUIT, "hello"),
        *(ends(Step.QUIT, end) for end in End if end is not End.GO_ON),
        Behaviour(at=Step.QUIT, says=b"221-", drip=b"x"),
    ],
)
def test_trouble_when_parting_changes_nothing_about_an_accepted_mail(behaviour: Behaviour) -> None:
    assert send(behaviour) == SendResult(evidence=Evidence.ACCEPTED, message_id=MESSAGE_ID)


def test_whoever_refuses_is_left_politely() -> None:
    with FakeSmtp([answers(Step.RCPT, "550 no")]) as fake:
        smtp(fake.port).send(a_mail())
    assert fake.commands[-1] == "QUIT"


def test_a_port_that_refuses_connections_is_a_refusal_that_will_pass() -> None:
    with closed_port() as port:
        result = smtp(port).send(a_mail())
    assert result == refused(
        "The connection to the mail server failed before the whole mail had left (ConnectionRefusedError)."
    )


def test_a_process_that_was_paused_when_the_server_is_ready_for_the_mail_sends_nothing() -> None:
    with FakeSmtp() as fake:

        def paused() -> bool:
            until(lambda: "DATA" in fake.commands, "the mail being asked for", progress=lambda: len(fake.commands))
            return False

        result = smtp(fake.port).send(a_mail(), paused)
    assert result == refused("The worker was paused and did not send.")
    assert fake.mails == []
    assert fake.commands[-1] == "DATA", "what came after it would be a part of the mail"


def test_whether_it_is_still_wanted_is_asked_once_and_after_all_else() -> None:
    asked = list[str]()
    with FakeSmtp() as fake:

        def still_wanted() -> bool:
            asked.append(fake.commands[-1])
            return True

        smtp(fake.port).send(a_mail(), still_wanted)
    assert asked == ["DATA"]


@pytest.mark.parametrize("step", [Step.CONNECT, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA])
def test_it_is_not_asked_for_a_mail_that_is_refused_before(step: Step) -> None:
    with FakeSmtp([answers(step, "550 no")]) as fake:
        smtp(fake.port).send(a_mail(), lambda: pytest.fail("asked"))


def test_a_dot_at_the_beginning_of_a_line_arrives_as_it_is() -> None:
    text = ".\n..\n.a\nb.\n\n.\n"
    with FakeSmtp() as fake:
        assert smtp(fake.port).send(a_mail(text=text, html="<p>\n.\n</p>\n")).evidence is Evidence.ACCEPTED
        [mail] = fake.accepted
    body = read_eml(mail.content).get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == text


def test_what_travels_is_ascii_in_lines_that_every_server_takes() -> None:
    with FakeSmtp() as fake:
        smtp(fake.port).send(a_mail(text="Grüße 🏊\n" + "long " * 1000, html="<p>ü</p>\n", subject="Grüße " * 60))
        [mail] = fake.accepted
    lines = mail.content.split(b"\r\n")
    assert mail.content.isascii()
    assert not [line for line in lines if b"\n" in line or b"\r" in line or len(line) > 998]


def test_the_same_intent_has_the_same_message_id_and_another_intent_another() -> None:
    with FakeSmtp() as fake:
        mailer = smtp(fake.port, sender=Sender(address=f"exports@{'x' * 60}.{'y' * 60}.example"))
        results = [mailer.send(a_mail(intent=intent)) for intent in ("exp-1:1", "exp-1:1", "exp-1:2", "odd one:1")]
        ids = [str(read_eml(mail.content)["Message-ID"]) for mail in fake.accepted]
    assert [f"<{result.message_id}>" for result in results] == ids
    assert (ids[0] == ids[1], len(set(ids))) == (True, 3)


def test_who_is_asked_for_and_who_sends_is_said_once_and_plainly() -> None:
    with FakeSmtp() as fake:
        smtp(fake.port).send(a_mail())
        [mail] = fake.accepted
    assert (mail.sender, mail.to) == (FROM, TO)
    assert verbs(fake) == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert fake.commands[0].upper() == "EHLO [127.0.0.1]"


def test_threads_can_share_a_mailer() -> None:
    with FakeSmtp() as fake:
        mailer, intents = smtp(fake.port), [f"exp-1:{number}" for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda intent: mailer.send(a_mail(intent=intent)), intents))
        arrived = [str(read_eml(mail.content)["X-Send-Intent"]) for mail in fake.accepted]
    assert {result.evidence for result in results} == {Evidence.ACCEPTED}
    assert sorted(arrived) == intents


def test_a_long_reason_is_shortened() -> None:
    detail = send(answers(Step.RCPT, "\n".join(["550-" + "word " * 100] * 20 + ["550 end"]))).detail
    assert detail is not None
    assert len(detail) == 300
    assert detail.endswith("…")


def test_a_refusal_without_words_is_told_by_its_code() -> None:
    assert send(answers(Step.RCPT, "550")) == refused("SMTP 550 to RCPT TO", permanent=True)


def test_the_next_mail_after_trouble_has_a_connection_of_its_own() -> None:
    with FakeSmtp([ends(Step.RCPT, End.RESET), ACCEPT]) as fake:
        mailer = smtp(fake.port)
        assert [mailer.send(a_mail()).evidence for _ in range(2)] == [Evidence.REFUSED, Evidence.ACCEPTED]
        assert fake.connections == 2
