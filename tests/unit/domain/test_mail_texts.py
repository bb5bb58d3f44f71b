"""What the mail with the file says, and that text and page say the same."""

import re
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from memberships_export.domain.mail.layout import Block, Facts, Link, Paragraph, as_html
from memberships_export.domain.mail.mail import Attachment, Mail
from memberships_export.domain.mail.texts import failure_mail, ready_mail
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.progress import Progress
from tests.factories import an_export
from tests.unit.domain.mail_reading import FILE, LINK, SEND, MailPage, failed, linked, ready


def test_the_file_is_attached_under_its_own_name() -> None:
    mail = ready()
    assert mail.attachment == Attachment("memberships-2026-03-01.csv", "text/csv", b"id\r\n")
    assert (mail.to, mail.subject, mail.export_id) == ("member@example.org", "Your memberships export", "exp-1")
    assert mail.intent == "exp-1:2"
    assert "attached as memberships-2026-03-01.csv" in mail.text


def test_a_link_replaces_the_attachment() -> None:
    mail = linked()
    assert mail.attachment is None
    assert LINK in mail.text.splitlines()
    assert ("a", {"href": LINK}) in MailPage(mail.html).tags


@pytest.mark.parametrize("mail", [ready(), linked()], ids=["attached", "linked"])
def test_text_and_html_both_give_what_is_needed_to_check_the_file(mail: Mail) -> None:
    for shown in (mail.text, MailPage(mail.html).text):
        assert "1,234" in shown
        assert "456,789 bytes" in shown
        assert "ab" * 32 in shown
        assert "2026-03-08 12:30 UTC" in shown  # written for one time zone, whatever zone it came in
        assert "2026-03-01 12:00 UTC" in shown
        assert "exp-1" in shown


@pytest.mark.parametrize("content, link", [(None, None), (b"x", LINK)])
def test_a_mail_brings_the_file_in_exactly_one_way(content: bytes | None, link: str | None) -> None:
    with pytest.raises(ValueError, match="either its content or a link"):
        ready_mail(an_export(file=FILE), SEND, content, link)


def test_a_mail_needs_a_file() -> None:
    with pytest.raises(ValueError, match="needs a file"):
        ready_mail(an_export(), SEND, b"x", None)


BEGAN, LAST = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC), datetime(2026, 3, 1, 12, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "progress, told",
    [
        (Progress(rows=1234, grade=Grade.COUNTED), "1,234 of 1,234."),
        (Progress(rows=1234, grade=Grade.ENDED), "1,234; the membership system named no total."),
        (Progress(rows=1234, grade=Grade.GUESSED), "1,234; the membership system does not say when it is done."),
        (
            Progress(rows=7, grade=Grade.COUNTED, began_at=BEGAN, moved_until=LAST),
            "7 of 7. Changes made between 12:00:05 and 12:04:00 UTC on 2026-03-01 may be missing.",
        ),
    ],
)
def test_a_file_from_an_api_of_another_shape_says_how_sure_it_is_that_all_is_there(
    progress: Progress, told: str
) -> None:
    mail = ready_mail(an_export(file=FILE, profile="f00d", progress=progress), SEND, b"x", None)
    assert f"\nCompleteness: {told}\n" in mail.text


def test_a_file_by_our_own_contract_has_nothing_to_say_of_that() -> None:
    mail = ready_mail(an_export(file=FILE, progress=Progress(rows=7, grade=Grade.COUNTED)), SEND, b"x", None)
    assert "Completeness" not in mail.text


def test_a_possible_duplicate_says_so_and_why() -> None:
    mail = ready_mail(an_export(file=FILE), replace(SEND, possible_duplicate=True), b"x", None)
    for shown in (mail.text, MailPage(mail.html).text):
        assert (
            "This mail may be a second copy. We could not find out whether an earlier one reached you, so we sent it "
            "once more. If you have both and the SHA-256 is the same, so are the files: keep either."
        ) in shown


def test_a_first_mail_does_not_speak_of_copies() -> None:
    assert "copy" not in ready().text


def test_the_formula_guard_is_explained_only_where_it_was_applied() -> None:
    guarded, raw = ready(file=replace(FILE, guarded=1)), ready()
    assert "removing that apostrophe gives the original text" in guarded.text
    assert "apostrophe" in MailPage(guarded.html).text
    assert "apostrophe" not in raw.text + raw.html


@pytest.mark.parametrize("mail", [ready(), linked(), failure_mail(failed())], ids=["attached", "linked", "failed"])
def test_the_page_names_its_language_and_loads_nothing(mail: Mail) -> None:
    page = MailPage(mail.html)
    names = {tag for tag, _ in page.tags}
    assert ("html", {"lang": "en"}) in page.tags
    assert {"title", "h1"} <= names
    assert not names & {"img", "script", "link", "iframe", "object", "style", "form"}
    assert not [attributes for _, attributes in page.tags if "src" in attributes or "url(" in str(attributes)]
    assert [attributes["href"] for tag, attributes in page.tags if tag == "a"] in ([], [LINK])


@pytest.mark.parametrize("mail", [ready(), linked(), failure_mail(failed())], ids=["attached", "linked", "failed"])
def test_neither_the_address_nor_the_user_id_is_repeated_in_the_mail(mail: Mail) -> None:
    assert "member@example.org" not in mail.text + mail.html
    assert "user-1" not in mail.text + mail.html


def test_the_mail_with_the_file_reads_like_this() -> None:
    assert ready().text.startswith(
        "Hello,\n"
        "\n"
        "your memberships export is ready. It is attached as memberships-2026-03-01.csv.\n"
        "\n"
        "Requested: 2026-03-01 12:00 UTC\n"
    )
    assert ready().text.endswith(
        "Until the time above you can also download the file, or have it sent again, where you asked.\n"
        "\n"
        "If you did not ask for this export, please tell your club, and give the export number.\n"
    )


def test_the_mail_with_a_link_reads_like_this() -> None:
    assert linked().text.startswith(
        "Hello,\n"
        "\n"
        "your memberships export is ready. This link gives you the file until 2026-03-08 12:30 UTC.\n"
        "\n"
        f"Download memberships-2026-03-01.csv:\n{LINK}\n"
        "\n"
        "Whoever has the link can download the file, so please do not pass this mail on.\n"
        "\n"
        "Requested: 2026-03-01 12:00 UTC\n"
    )
    assert "download the file, or have it sent again" not in linked().text


@pytest.mark.parametrize("mail", [ready(), linked(), failure_mail(failed())], ids=["attached", "linked", "failed"])
def test_text_and_html_say_the_same_in_the_same_order(mail: Mail) -> None:
    page = MailPage(mail.html).text.removeprefix(f"{mail.subject} {mail.subject} ")
    assert re.findall(r"[\w/.-]+", page) == re.findall(r"[\w/.-]+", _without_address(mail.text))


def _without_address(text: str) -> str:
    """In a page the address of a link is behind its name."""
    return text.replace(LINK, "")


def test_a_fact_is_a_row_with_its_name_in_front_of_its_value() -> None:
    rows = re.findall(r"<tr><th [^>]*>([^<]*)</th><td [^>]*>([^<]*)</td></tr>", ready().html)
    assert rows == [
        ("Requested", "2026-03-01 12:00 UTC"),
        ("Memberships", "1,234"),
        ("Size", "456,789 bytes"),
        ("SHA-256", "ab" * 32),
        ("Can be downloaded until", "2026-03-08 12:30 UTC"),
        ("Export number", "exp-1"),
    ]


def test_times_are_shown_without_the_locale_of_the_machine() -> None:
    export = an_export(file=replace(FILE, expires_at=datetime(2026, 12, 31, 23, 59, tzinfo=UTC)))
    assert "2026-12-31 23:59 UTC" in ready_mail(export, SEND, b"x", None).text


def test_times_are_those_of_one_time_zone_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert "2026-03-01 12:00 UTC" in ready().text
    finally:
        monkeypatch.undo()
        time.tzset()


FACTS = Facts([("A", "1"), ("B", "2")])


def test_the_page_of_a_mail_is_this() -> None:
    blocks: list[Block] = [
        Paragraph("Hello <you>,"),
        Link("Get it", "https://x/?a=1&b=2"),
        Facts([("A", "1"), ("B", "2")]),
    ]
    left = 'style="text-align: left; vertical-align: top; padding-right: 1em"'
    assert as_html("A & B", blocks) == (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>A &amp; B</title>\n</head>\n'
        '<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em; padding: 1em">\n'
        '<h1 style="font-size: 1.3em">A &amp; B</h1>\n'
        "<p>Hello &lt;you&gt;,</p>\n"
        '<p><a href="https://x/?a=1&amp;b=2">Get it</a></p>\n'
        "<table>\n"
        f'<tr><th scope="row" {left}>A</th><td style="overflow-wrap: anywhere">1</td></tr>\n'
        f'<tr><th scope="row" {left}>B</th><td style="overflow-wrap: anywhere">2</td></tr>\n'
        "</table>\n</body>\n</html>\n"
    )
