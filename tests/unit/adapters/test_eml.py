"""The template of mails, held to what Python's `email` makes of the same mail, and reads from it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.adapters.mail.eml import eml, message_id
from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.mail.mail import Attachment, Mail
from memberships_export.domain.mail.plain_text import many_lines, one_line
from memberships_export.domain.mail.sender import Sender, is_name
from tests.contract.mailers import NOW, SENDER, TO, a_mail, read_eml

_OF_PARTS = {"content-type", "content-transfer-encoding", "mime-version"}  # these may be written in another way
_LONG_DOMAIN = ".".join(["long" * 15] * 3) + ".example"
_TEXTS = st.text(max_size=200) | st.text(" .=?_-\r\n\ta\u00fcB\U0001f3ca", max_size=400)
_NAMES = st.text(max_size=40).filter(is_name) | st.sampled_from(["Büro (Süd)", "a.b@c: [d]", "Club of Swimmers" * 5])
_ADDRESSES = st.from_regex(r"[a-z0-9!#$%&'*+/=^_`{|}~-]{1,40}@[a-z]{1,20}(\.[a-z]{2,20}){1,8}", fullmatch=True)
_FILES = st.builds(
    Attachment,
    name=st.just("memberships-2026-03-01.csv") | st.text(min_size=1, max_size=100),
    media_type=st.sampled_from(
        ["text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/x-ndjson"]
    ),
    content=st.binary(max_size=400),
)
_MAILS = st.builds(
    Mail,
    to=st.just(TO) | _ADDRESSES,
    subject=_TEXTS,
    text=_TEXTS,
    html=_TEXTS,
    language=st.sampled_from(["en", "de-CH"]) | st.text(max_size=20),
    export_id=st.just("0b9f2f3e-8c6d-4b3e-9f4e-2d3f5a6b7c8d") | st.text(min_size=1, max_size=100),
    intent=st.just("0b9f2f3e-8c6d-4b3e-9f4e-2d3f5a6b7c8d:1") | st.text(min_size=1, max_size=100),
    attachment=st.none() | _FILES,
)
_SENDERS = st.builds(Sender, address=_ADDRESSES, name=_NAMES, reply_to=st.none() | _ADDRESSES)
_TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def _by_email(mail: Mail, sender: Sender, date: datetime) -> bytes:
    """Write the same mail by the generator of `email`."""
    message = EmailMessage(SMTP.clone(cte_type="7bit"))
    message["From"] = Address(sender.name, addr_spec=sender.address)
    if sender.reply_to:
        message["Reply-To"] = Address(addr_spec=sender.reply_to)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = date
    message["Message-ID"] = f"<{message_id(mail.intent, sender.address)}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Export-Id"] = one_line(mail.export_id)
    message["X-Send-Intent"] = one_line(mail.intent)
    message.set_content(many_lines(mail.text))
    message.add_alternative(many_lines(mail.html), subtype="html")
    if mail.attachment:
        main, _, sub = mail.attachment.media_type.partition("/")
        name = one_line(mail.attachment.name)
        message.add_attachment(mail.attachment.content, maintype=main, subtype=sub, filename=name)
    message["Content-Language"] = one_line(mail.language)
    return message.as_bytes()


def _headers(message: EmailMessage) -> dict[str, str]:
    # `email` begins a long Message-ID on the next line, and reads the space before it as a part of it.
    return {name.lower(): str(value).strip() for name, value in message.items() if name.lower() not in _OF_PARTS}


def _parts(message: EmailMessage) -> Iterator[tuple[object, ...]]:
    """Give what a mail program finds: each part with what it is called, and what is in it."""
    for part in message.walk():
        assert isinstance(part, EmailMessage)
        assert not part.defects
        content = None if part.is_multipart() else part.get_payload(decode=True)
        yield (
            part.get_content_type(),
            part.get_content_charset(),
            part.get_content_disposition(),
            part.get_filename(),
            content.replace(b"\r\n", b"\n") if isinstance(content, bytes) and part.get_content_disposition() is None
            else content,
        )  # fmt: skip


def _lines(content: bytes) -> Sequence[bytes]:
    lines = content.split(b"\r\n")
    assert not [line for line in lines if b"\r" in line or b"\n" in line]
    return lines


@given(_MAILS, _SENDERS, _TIMES)
def test_a_mail_reads_as_if_the_generator_of_email_had_written_it(mail: Mail, sender: Sender, date: datetime) -> None:
    content = eml(mail, sender, date)
    ours, theirs = read_eml(content), read_eml(_by_email(mail, sender, date))
    assert _headers(ours) == _headers(theirs)
    assert list(_parts(ours)) == list(_parts(theirs))
    assert str(ours["MIME-Version"]) == "1.0"
    assert [len(ours.get_all(name, [])) for name in ours] == [1] * len(ours)
    assert content.isascii()
    assert max(map(len, _lines(content))) <= 998


@given(_MAILS, _TIMES)
def test_the_same_mail_is_the_same_bytes(mail: Mail, date: datetime) -> None:
    assert eml(mail, SENDER, date) == eml(mail, SENDER, date)


def test_an_ordinary_mail_is_these_bytes() -> None:
    mail = a_mail(text="Grüße = 1\n", html="<p>Grüße</p>", attachment=Attachment("a.csv", "text/csv", b"id\r\n" * 20))
    assert eml(mail, SENDER, NOW).decode("ascii").split("\r\n") == [
        "From: Memberships export <exports@club.example>",
        "To: canary.member@example.org",
        "Subject: Your memberships export",
        "Date: Sun, 01 Mar 2026 12:00:00 +0000",
        "Message-ID: <exp-1.1@club.example>",
        "Auto-Submitted: auto-generated",
        "X-Export-Id: exp-1",
        "X-Send-Intent: exp-1:1",
        "Content-Language: en",
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="=_parts"',
        "",
        "--=_parts",
        'Content-Type: multipart/alternative; boundary="=_texts"',
        "",
        "--=_texts",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Gr=C3=BC=C3=9Fe =3D 1",
        "",
        "--=_texts",
        'Content-Type: text/html; charset="utf-8"',
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "<p>Gr=C3=BC=C3=9Fe</p>",
        "",
        "--=_texts--",
        "",
        "--=_parts",
        "Content-Type: text/csv",
        'Content-Disposition: attachment; filename="a.csv"',
        "Content-Transfer-Encoding: base64",
        "",
        "aWQNCmlkDQppZA0KaWQNCmlkDQppZA0KaWQNCmlkDQppZA0KaWQNCmlkDQppZA0KaWQNCmlkDQpp",
        "ZA0KaWQNCmlkDQppZA0KaWQNCmlkDQo=",
        "",
        "--=_parts--",
        "",
    ]


@pytest.mark.parametrize("line", ["--=_texts", "--=_texts--", "--=_parts", "--=_parts--", "--", ".", "From me"])
def test_no_text_and_no_file_ends_the_part_it_stands_in(line: str) -> None:
    file = Attachment("a.csv", "text/csv", f"\r\n{line}\r\n".encode())
    message = read_eml(eml(a_mail(text=f"1\n\n{line}\n2\n", html=f"3\n\n{line}\n4\n", attachment=file), SENDER, NOW))
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/csv",
    ]
    assert [part[-1] for part in _parts(message)][2:] == [
        f"1\n\n{line}\n2\n".encode(),
        f"3\n\n{line}\n4\n".encode(),
        file.content,
    ]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x85", "\x1c", "\x0b"])
@pytest.mark.parametrize("field", ["subject", "export_id", "intent", "language"])
def test_no_field_brings_a_header_of_its_own(field: str, end: str) -> None:
    mail = a_mail(**{field: f"a{end}Bcc: eve@example.org{end}{end}body"})
    message = read_eml(eml(mail, SENDER, NOW))
    assert message["Bcc"] is None
    assert [part.get_content_type() for part in message.iter_parts()] == ["multipart/alternative", "text/csv"]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", '"', '";\r\nBcc: x'])
def test_no_file_name_brings_a_header_of_its_own(end: str) -> None:
    file = Attachment(f"a{end}Bcc: eve@example.org{end}.csv", "text/csv", b"id")
    [part] = read_eml(eml(a_mail(attachment=file), SENDER, NOW)).iter_attachments()
    assert part["Bcc"] is None
    assert part.get_payload(decode=True) == b"id"


def test_an_address_that_could_break_a_header_is_refused() -> None:
    for to in ("a@example.org\r\nBcc: b@example.org", "a@example.org, b@example.org", "ü@example.org", ""):
        with pytest.raises(InvalidAddress):
            eml(a_mail(to=to), SENDER, NOW)


def test_long_addresses_stay_whole_in_one_line() -> None:
    to, sender = (
        f"{'member' * 10}@{_LONG_DOMAIN}",
        Sender(address=f"exports@{_LONG_DOMAIN}", reply_to=f"a@{_LONG_DOMAIN}"),
    )
    content = eml(a_mail(to=to, intent="exp-" + "1" * 90 + ":1"), sender, NOW)
    assert f"To: {to}".encode() in _lines(content)
    assert f"Reply-To: a@{_LONG_DOMAIN}".encode() in _lines(content)
    assert f"Message-ID: <exp-{'1' * 90}.1@{_LONG_DOMAIN}>".encode() in _lines(content)


def test_a_file_may_be_empty_and_may_fill_its_last_line() -> None:
    for size in (0, 1, 56, 57, 58, 57 * 3):
        file = Attachment("a.csv", "text/csv", b"x" * size)
        content = eml(a_mail(attachment=file), SENDER, NOW)
        [part] = read_eml(content).iter_attachments()
        assert part.get_payload(decode=True) == file.content
        assert max(map(len, _lines(content))) <= 76


def test_who_mails_come_from_may_change_while_the_process_runs() -> None:
    for name in ("First", "Second", "First"):
        content = eml(a_mail(), Sender(address="a@club.example", name=name), NOW + timedelta(days=1))
        assert content.startswith(f"From: {name} <a@club.example>\r\n".encode())
