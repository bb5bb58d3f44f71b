"""The installed service with an SMTP server: an export from request to mail."""

from pathlib import Path

from rig.services.fake_smtp import FakeSmtp
from tests.contract.mailers import read_eml
from tests.e2e.command_line import environ_of, run, running


def test_an_export_reaches_a_mail_catcher(tmp_path: Path) -> None:
    with FakeSmtp() as fake:
        environ = environ_of(
            tmp_path / "data",
            mailer="smtp",
            smtp_host="127.0.0.1",
            smtp_port=str(fake.port),
            smtp_security="none",
            mail_from="exports@example.org",
        )
        with running(environ, tmp_path) as service:
            member = service.as_user("user-1", "member@example.org")
            export_id = member.ask("request")
            assert run(member.environ, "watch", export_id).returncode == 0
            said = (tmp_path / "serve.out").read_text()
        (mail,) = fake.accepted
    assert f"Mails go to  127.0.0.1, port {fake.port} (SMTP, none)" in said
    assert (mail.sender, mail.to) == ("exports@example.org", "member@example.org")
    message = read_eml(mail.content)
    assert message["Message-ID"] == f"<{export_id}.1@example.org>"
    assert [part.get_filename() for part in message.iter_attachments() if part.get_filename()]
    assert not (tmp_path / "data" / "outbox").exists()
