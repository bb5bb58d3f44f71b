from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

import pytest

from memberships_export.entrypoints.cli.demo.mail import receive
from memberships_export.entrypoints.cli.exits import CommandError
from tests.unit.cli.stub_api import EXPORT_ID, an_answer

CSV = '\ufeffid,name\r\n1,"Gold\r\nplus"\r\n2,Silver\r\n'.encode()
ANSWER = an_answer(file={"name": "memberships-2026-03-01.csv", "rows": 2, "sha256": sha256(CSV).hexdigest()})


def no_download(link: str, _target: Path) -> None:
    pytest.fail(f"{link} was downloaded")


def an_outbox(tmp_path: Path, mail: EmailMessage, export_id: str = EXPORT_ID) -> Path:
    outbox = tmp_path / "data" / "outbox"
    outbox.mkdir(parents=True)
    mail["X-Export-Id"] = export_id
    (outbox / "1.eml").write_bytes(mail.as_bytes())
    return outbox


def a_mail(text: str, *, attached: bytes | None = None) -> EmailMessage:
    mail = EmailMessage()
    mail.set_content(text)
    if attached is not None:
        mail.add_attachment(attached, maintype="text", subtype="csv", filename="memberships.csv")
    return mail


def test_the_attachment_is_saved_byte_for_byte(tmp_path: Path) -> None:
    arrival = receive(an_outbox(tmp_path, a_mail("Hello", attached=CSV)), ANSWER, no_download)
    assert arrival.file.read_bytes() == CSV
    assert not arrival.by_link


def test_without_attachment_the_link_in_the_mail_is_followed(tmp_path: Path) -> None:
    link = f"http://127.0.0.1:1/memberships/exports/{EXPORT_ID}/download/abc_DEF-1"
    followed: list[str] = []

    def download(url: str, target: Path) -> None:
        followed.append(url)
        target.write_bytes(CSV)

    arrival = receive(an_outbox(tmp_path, a_mail(f"Download it:\n{link}\n")), ANSWER, download)
    assert (followed, arrival.by_link) == ([link], True)


def test_no_mail_or_one_of_another_export_is_an_error(tmp_path: Path) -> None:
    outbox = an_outbox(tmp_path, a_mail("Hello", attached=CSV), export_id="another")
    with pytest.raises(CommandError, match="no mail of export"):
        receive(outbox, ANSWER, no_download)


def test_a_mail_without_file_and_link_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="neither"):
        receive(an_outbox(tmp_path, a_mail("Hello")), ANSWER, no_download)
