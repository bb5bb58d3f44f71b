"""How mails look and who they come from, as it is set."""

import pytest

from memberships_export.domain.mail.brand import Brand
from memberships_export.domain.mail.sender import Sender
from memberships_export.settings import Settings, SettingsError, read_settings


def read(**environ: str) -> Settings:
    return read_settings({f"MEMBERSHIPS_EXPORT_{name}": value for name, value in environ.items()})


def test_nothing_set_is_a_neutral_mail() -> None:
    assert read().brand == Brand(name=None, logo_url=None, colour="#1f5fbf", contact=None)
    assert read().sender == Sender(address="memberships-export@localhost", name="Memberships export")


def test_all_that_can_be_set_of_a_mail() -> None:
    settings = read(
        BRAND_NAME="TSV Süd 1895 e.V.",
        BRAND_LOGO_URL="https://club.example/logo.png?v=2",
        BRAND_COLOUR="#FFD500",
        CONTACT="https://club.example/contact?about=export",
        MAIL_FROM='"TSV Mails" <exports@club.example>',
        MAIL_REPLY_TO="office@club.example",
    )
    assert settings.brand == Brand(
        name="TSV Süd 1895 e.V.",
        logo_url="https://club.example/logo.png?v=2",
        colour="#ffd500",
        contact="https://club.example/contact?about=export",
    )
    assert settings.sender == Sender(address="exports@club.example", name="TSV Mails", reply_to="office@club.example")
    assert settings.mail_from == "TSV Mails <exports@club.example>"


def test_a_sender_without_a_name_has_that_of_the_club() -> None:
    assert read(MAIL_FROM="exports@club.example", BRAND_NAME="TSV").sender.name == "TSV"
    assert read(MAIL_FROM="<exports@club.example>").sender == Sender(address="exports@club.example")


@pytest.mark.parametrize("mailer", ["sendgrid", "smtp"])
def test_real_mail_needs_a_sender_of_its_own_with_or_without_a_name(mailer: str) -> None:
    with pytest.raises(SettingsError, match="MAIL_FROM is not set"):
        read(MAILER=mailer, SENDGRID_API_KEY="k", SMTP_HOST="h")
    read(MAILER=mailer, MAIL_FROM="TSV <exports@club.example>", SENDGRID_API_KEY="k", SMTP_HOST="h")


WRONG = {
    "MAIL_FROM": [
        "TSV",
        "TSV <>",
        "TSV\r\nBcc: evil@example.org <a@club.example>",
        "TSV <a@club.example\r\nX: y>",
        "a, b <a@b.example>",
    ],
    "MAIL_REPLY_TO": [
        "TSV <office@club.example>",
        "office",
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example,c@d.example",
    ],
    "CONTACT": [
        "office",
        "http://club.example",
        "javascript:alert(1)",
        "https://",
        "https://u:p@club.example",
        "mailto:a@b.example",
    ],
    "BRAND_NAME": [" ", "a\nb", "a\r\nBcc: evil@example.org", "<b>", 'TSV "Süd"', "\u202etxt", "x" * 101],
    "BRAND_LOGO_URL": [
        "http://club.example/l.png",
        "//club.example/l.png",
        "data:image/png;base64,AA",
        'https://x.example/"onerror="',
        "https://x.example/a b",
        "https://x.example/\r\n",
        "https:///l.png",
    ],
    "BRAND_COLOUR": ["red", "#fff", "#1f5fbg", "1f5fbf", "#1f5fbf;x:url(https://evil.example)", "#1f5fbf\n"],
}


@pytest.mark.parametrize("name, value", [(name, value) for name, values in WRONG.items() for value in values])
def test_what_a_mail_could_not_show_safely_is_refused_at_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"MEMBERSHIPS_EXPORT_{name} is "):
        read(**{name: value})
