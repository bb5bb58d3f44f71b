"""What every mailer promises, whatever stands behind it."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.address import checked_address
from memberships_export.domain.mail.mail import Attachment
from memberships_export.domain.mail.sender import Sender
from tests.contract.mailers import FROM, MAILERS, TO, Arrived, Rig, a_mail


@pytest.fixture(params=MAILERS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with MAILERS[request.param](tmp_path / "outbox") as opened:
        yield opened


def test_a_mail_arrives_once_and_as_it_was_given(rig: Rig) -> None:
    mail = a_mail()
    result = rig.mailer.send(mail)
    assert result.evidence is Evidence.ACCEPTED
    assert result.message_id
    assert result.detail is None
    [arrived] = rig.arrived()
    assert (arrived.to, arrived.sender, arrived.subject) == (TO, FROM, "Your memberships export")
    assert (arrived.text, arrived.html) == (mail.text, mail.html)
    assert (arrived.intent, arrived.export_id) == ("exp-1:1", "exp-1")
    assert arrived.auto_submitted == "auto-generated", "no holiday notice answers it"
    assert (arrived.sender_name, arrived.reply_to, arrived.language) == ("Memberships export", None, "en")


NAMES = [
    "TSV Example",
    "Süd 1895 e.V.",
    "Sportverein München-Schwabing von 1895 e.V. Abteilung Wasserball",
    "🏊" * 100,
    "it's",
]


@pytest.mark.parametrize("mailer", MAILERS)
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_mail_comes_from_the_club_and_answers_go_where_it_wants_them(mailer: str, name: str, tmp_path: Path) -> None:
    sender = Sender(address=FROM, name=name, reply_to="office@club.example")
    with MAILERS[mailer](tmp_path / "outbox", sender) as rig:
        assert rig.mailer.send(a_mail(language="de-CH")).evidence is Evidence.ACCEPTED
        [arrived] = rig.arrived()
    assert (arrived.sender, arrived.sender_name) == (FROM, name)
    assert (arrived.reply_to, arrived.language) == ("office@club.example", "de-CH")


@pytest.mark.parametrize("language", ["de\r\nBcc: evil@example.org", "de\nX: y", "de\x00\u202e"])
def test_a_language_cannot_begin_another_header(rig: Rig, language: str) -> None:
    assert rig.mailer.send(a_mail(language=language)).evidence is Evidence.ACCEPTED
    [arrived] = rig.arrived()
    assert arrived.to == TO
    assert not {*"\r\n\x00\u202e"} & {*str(arrived.language)}


def test_an_attachment_arrives_byte_for_byte(rig: Rig) -> None:
    content = b"\xef\xbb\xbfid\r\n\n\r" + bytes(range(256)) * 1000 + b"\r\n.\r\n--boundary\r\n"
    rig.mailer.send(a_mail(attachment=Attachment("memberships-2026-03-01.csv", "text/csv", content)))
    [arrived] = rig.arrived()
    assert arrived.attachment == ("memberships-2026-03-01.csv", "text/csv", content)


def test_five_megabytes_arrive(rig: Rig) -> None:
    content = b"0123456789" * 500_000
    assert rig.mailer.send(a_mail(attachment=Attachment("m.csv", "text/csv", content))).evidence is Evidence.ACCEPTED
    [arrived] = rig.arrived()
    assert arrived.attachment == ("m.csv", "text/csv", content)


def test_a_mail_without_attachment_arrives_without_one(rig: Rig) -> None:
    assert rig.mailer.send(a_mail(attachment=None)).evidence is Evidence.ACCEPTED
    [arrived] = rig.arrived()
    assert arrived.attachment is None


def test_each_intent_is_a_mail_of_its_own(rig: Rig) -> None:
    intents = ["exp-1:1", "exp-1:2", "exp-1:failure", "exp-2:1"]
    for intent in intents:
        rig.mailer.send(a_mail(intent=intent))
    assert sorted(mail.intent for mail in rig.arrived()) == sorted(intents)


def test_the_same_intent_twice_is_one_mail_exactly_where_that_is_promised(rig: Rig) -> None:
    results = [rig.mailer.send(a_mail()) for _ in range(2)]
    assert [result.evidence for result in results] == [Evidence.ACCEPTED] * 2
    assert (len(rig.arrived()) == 1) is rig.mailer.repeatable


@pytest.mark.parametrize(
    "address", ["two@example.org,three@example.org", "a@example.org\r\nBcc: b@example.org", "", "ü@example.org"]
)
def test_what_is_not_one_plain_address_is_refused_for_good_and_not_repeated(rig: Rig, address: str) -> None:
    rig.mailer.send(a_mail(intent="exp-1:2"))
    result = rig.mailer.send(a_mail(to=address))
    assert (result.evidence, result.permanent) == (Evidence.REFUSED, True)
    assert "@" not in str(result.detail)
    assert [mail.intent for mail in rig.arrived()] == ["exp-1:2"]


def test_the_longest_address_arrives_in_one_piece(rig: Rig) -> None:
    address = "a" * 64 + "@" + ".".join(["b" * 60, "b" * 60, "b" * 59]) + ".example"
    assert len(address) == 254
    assert rig.mailer.send(a_mail(to=address)).evidence is Evidence.ACCEPTED
    assert [mail.to for mail in rig.arrived()] == [address]


HOSTILE = ["x\r\nBcc: evil@example.org\r\n\r\nbody", "\ud800", "a\x00b", "\u2028Bcc: evil@example.org"]


def test_no_hostile_text_makes_a_header(rig: Rig) -> None:
    for number, hostile in enumerate(HOSTILE):
        _send_with(rig, hostile, f"exp-1:{number}")
    _check_harmless(rig.arrived(), len(HOSTILE))


def test_no_naughty_string_makes_a_header_or_a_second_mail(rig: Rig, shared_data: Path) -> None:
    strings = json.loads((shared_data / "blns.json").read_text(encoding="utf-8"))
    batches = [" ".join(strings[start : start + 20]) for start in range(0, len(strings), 20)]
    for number, naughty in enumerate(batches):
        _send_with(rig, naughty, f"exp-1:{number}")
    _check_harmless(rig.arrived(), len(batches))


def _send_with(rig: Rig, text: str, intent: str) -> None:
    file = Attachment(f"x{text}.csv", "text/csv", text.encode("utf-8", "surrogatepass"))
    mail = a_mail(intent=intent, subject=f"Subject {text}", text=f"x{text}\n", html=f"<p>{text}</p>\n", attachment=file)
    assert rig.mailer.send(mail).evidence is Evidence.ACCEPTED, text


def _check_harmless(arrived: list[Arrived], count: int) -> None:
    assert len(arrived) == count
    assert {mail.to for mail in arrived} == {TO}
    assert not [mail for mail in arrived if set(mail.subject) & set("\r\n\x00")]
    names = [mail.attachment[0] for mail in arrived if mail.attachment]
    assert len(names) == count
    assert not [name for name in names if set(name) & set("\r\n\x00\u2028") or not name.startswith("x")]


def accepted(address: str) -> bool:
    try:
        return bool(checked_address(address))
    except InvalidAddress:
        return False


ATOM_SIGNS = "abcXYZ019!#$%&'*+/=?^_`{|}~-"
WORDS = ["=?utf-8?q?x?=", "=?utf-8?b?eA==?=", "=?us-ascii?q?=41?=", "=?", "?=", "=", "?", "a.b", "x"]
LOCAL_PARTS = st.one_of(
    st.text(st.sampled_from(ATOM_SIGNS + "...."), min_size=1, max_size=64),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map("".join),
)
DOMAINS = st.sampled_from(["example.org", "a.b.c", f"{'x' * 63}.org", "localhost", "xn--bcher-kva.example", "1.2.3.4"])


@given(local=LOCAL_PARTS, domain=DOMAINS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=150)
def test_whatever_address_is_accepted_can_be_sent_and_arrives_as_it_is(rig: Rig, local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    assume(accepted(address))
    intent = f"{sha256(address.encode()).hexdigest()[:32]}:1"
    assert rig.mailer.send(a_mail(to=address, intent=intent)).evidence is Evidence.ACCEPTED

    assert {mail.to for mail in rig.arrived() if mail.intent == intent} == {address}
