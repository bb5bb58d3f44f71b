"""What the mail with the file says, and that text and page say the same."""

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from memberships_export.domain.formats.options import FilterValue, Format, Options
from memberships_export.domain.mail import facts
from memberships_export.domain.mail.compose import Written, compose
from memberships_export.domain.mail.mail import Attachment, Mail
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.progress import Progress
from tests.factories import an_export
from tests.unit.mails.mail_reading import FILE, LINK, MailPage, failure_mail, linked, ready, ready_mail


def test_the_file_is_attached_under_its_own_name() -> None:
    mail = ready()
    assert mail.attachment == Attachment("memberships-2026-03-01.csv", "text/csv", b"id\r\n")
    assert (mail.to, mail.subject, mail.export_id) == (
        "member@example.org",
        "Your memberships export is ready",
        "exp-1",
    )
    assert mail.intent == "exp-1:2"
    assert "memberships-2026-03-01.csv (CSV, 457 kB)" in _lines(mail)


def test_a_link_replaces_the_attachment() -> None:
    mail = linked()
    assert mail.attachment is None
    assert LINK in mail.text.splitlines()
    assert [attributes["href"] for tag, attributes in MailPage(mail.html).tags if tag == "a"] == [LINK]


@pytest.mark.parametrize("mail", [ready(), linked()], ids=["attached", "linked"])
def test_text_and_html_both_give_what_is_needed_to_check_the_file(mail: Mail) -> None:
    for shown in (_plain(mail.text), MailPage(mail.html).text):
        assert "1,234" in shown
        assert "456,789 bytes" in shown
        assert "ab" * 32 in shown
        assert "March 8, 2026, 12:30 PM (UTC)" in shown  # written for one time zone, whatever zone it came in
        assert "March 1, 2026, 12:00 PM (UTC)" in shown
        assert "exp-1" in shown


def _plain(text: str) -> str:
    return " ".join(text.split())


def test_a_mail_needs_a_file() -> None:
    with pytest.raises(ValueError, match="needs a file"):
        facts.ready(an_export(), link=None, possible_duplicate=False)


def test_no_content_is_attached_of_a_file_that_is_not_there() -> None:
    written = Written(language="en", subject="s", text="t", html="h")
    with pytest.raises(ValueError, match="no file to attach"):
        compose(an_export(), "exp-1:1", written, b"x")


BEGAN, LAST = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC), datetime(2026, 3, 1, 12, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "progress, told",
    [
        (Progress(rows=1234, grade=Grade.COUNTED), "Counted: as many as the membership system said."),
        (Progress(rows=1234, grade=Grade.ENDED), "Read to the end; the membership system named no total."),
        (Progress(rows=1234, grade=Grade.GUESSED), "Probably all; the membership system does not say when it is done."),
        (
            Progress(rows=7, grade=Grade.COUNTED, began_at=BEGAN, moved_until=LAST),
            (
                "Counted: as many as the membership system said. Changes made between March 1, 2026, 12:00 PM (UTC) "
                "and March 1, 2026, 12:04 PM (UTC) may be missing."
            ),
        ),
    ],
)
def test_a_file_from_an_api_of_another_shape_says_how_sure_it_is_that_all_is_there(
    progress: Progress, told: str
) -> None:
    mail = ready(profile="f00d", progress=progress)
    assert f"Completeness: {told} SHA-256:" in _plain(mail.text)
    assert f"Completeness {told} SHA-256" in MailPage(mail.html).text


def test_a_file_by_our_own_contract_has_nothing_to_say_of_that() -> None:
    progress = Progress(rows=7, grade=Grade.COUNTED, began_at=BEGAN, moved_until=LAST)
    mail = ready(progress=progress)
    assert "Completeness" not in mail.text + mail.html
    assert "may be missing" not in mail.text + mail.html


def test_a_possible_duplicate_says_so_and_why() -> None:
    mail = ready_mail(an_export(file=FILE), duplicate=True)
    for shown in (mail.text, MailPage(mail.html).text):
        assert (
            "This mail may be a second copy. We could not find out whether an earlier one reached you, so we sent it "
            "once more. If you have both and the SHA-256 is the same, so are the files: keep either."
        ) in shown


def test_a_first_mail_does_not_speak_of_copies() -> None:
    assert "copy" not in ready().text


@pytest.mark.parametrize(
    "guarded, told",
    [
        (1, "1 cell of the file has an apostrophe (') in front of its text."),
        (2, "2 cells of the file have an apostrophe (') in front of their text."),
        (12_345, "12,345 cells of the file have an apostrophe (') in front of their text."),
    ],
)
def test_apostrophes_are_counted_and_explained(guarded: int, told: str) -> None:
    mail = ready(file=replace(FILE, guarded=guarded))
    for shown in (mail.text, MailPage(mail.html).text):
        assert told in shown
        assert "Removing the apostrophe gives the original text." in shown


def test_the_formula_guard_is_explained_only_where_it_was_applied() -> None:
    assert "apostrophe" not in ready().text + ready().html


@pytest.mark.parametrize("rows, told", [(0, "0 memberships."), (1, "1 membership."), (2, "2 memberships.")])
def test_memberships_are_counted(rows: int, told: str) -> None:
    mail = ready(file=replace(FILE, rows=rows))
    assert f"It has {told}" in mail.text
    assert f"It has {told}" in MailPage(mail.html).text


def test_what_was_chosen_is_told_for_whoever_misses_the_rest() -> None:
    chosen = Options(
        columns=("name", "id"), filters=(FilterValue("state", "active"), FilterValue("from", "2026-01-01"))
    )
    mail = ready(options=chosen)
    for shown in (mail.text, MailPage(mail.html).text):
        assert "It has only the columns that you chose: name, id." in shown
        assert "It has only the memberships that you chose: state: active, from: 2026-01-01." in shown
    assert "you chose" not in ready().text + ready().html


def test_a_thousand_columns_do_not_make_a_mail_that_programs_cut_off() -> None:
    columns = tuple(f"<column>{number:056}" for number in range(1000))
    mail = ready(options=Options(columns=columns))
    assert "It has only the columns that you chose: <column>000" in mail.text
    assert "….\n" in mail.text
    assert len(mail.html.encode()) < 20_000


@pytest.mark.parametrize("name, told", [(Format.CSV, "CSV"), (Format.XLSX, "Excel"), (Format.JSONL, "JSON Lines")])
def test_the_kind_of_file_is_named(name: Format, told: str) -> None:
    assert f"({told}, 457 kB)" in _plain(linked(options=Options(format=name)).text)


@pytest.mark.parametrize(
    "options, told",
    [
        (Options(), {"rows": "1,234", "until": "March 8, 2026, 12:30 PM (UTC)", "size": "457 kB"}),
        (
            Options(language="de", time_zone="Europe/Berlin"),
            {"rows": "1.234", "until": "8. März 2026, 13:30 (Europe/Berlin)", "size": "457 kB"},
        ),
        (
            Options(language="fr-CH", time_zone="America/New_York"),
            {"rows": "1'234", "until": "8 mars 2026, 08:30 (America/New_York)", "size": "457 ko"},
        ),
        (Options(language="en-GB", time_zone="Asia/Kolkata"), {"until": "8 March 2026, 18:00 (Asia/Kolkata)"}),
    ],
)
def test_numbers_and_times_are_those_of_the_reader(options: Options, told: Mapping[str, str]) -> None:
    mail = linked(options=options)
    for shown in (_plain(mail.text), MailPage(mail.html).text):
        assert [value for value in told.values() if value not in shown] == []


@pytest.mark.parametrize("options", [Options(language="xx"), Options(language="en-XX"), Options(time_zone="Mars/Base")])
def test_a_language_or_zone_that_is_not_known_any_more_keeps_no_mail_back(options: Options) -> None:
    assert "March 8, 2026, 12:30 PM (UTC)" in _plain(ready(options=options).text)


@pytest.mark.parametrize("mail", [ready(), linked(), failure_mail()], ids=["attached", "linked", "failed"])
def test_neither_the_address_nor_the_user_id_is_repeated_in_the_mail(mail: Mail) -> None:
    assert "member@example.org" not in mail.text + mail.html
    assert "user-1" not in mail.text + mail.html


def test_the_mail_with_the_file_reads_like_this() -> None:
    assert _lines(ready()) == [
        "Your memberships export is ready",
        "",
        "It has 1,234 memberships.",
        "",
        "The file is attached to this mail.",
        "memberships-2026-03-01.csv (CSV, 457 kB)",
        "",
        "Until March 8, 2026, 12:30 PM (UTC) you can also download it, or have it sent again, where you asked for it.",
        "",
        "To check the file",
        "",
        "Requested: March 1, 2026, 12:00 PM (UTC)",
        "Size: 456,789 bytes",
        "SHA-256: " + "ab" * 32,
        "Export number: exp-1",
        "",
        "If you did not ask for this export, please tell your club, and give the export number.",
    ]


def test_the_mail_with_a_link_reads_like_this() -> None:
    assert _lines(linked())[4:10] == [
        "Download the file:",
        LINK,
        "memberships-2026-03-01.csv (CSV, 457 kB)",
        "",
        (
            "The link works until March 8, 2026, 12:30 PM (UTC). Whoever has it can download the file, so please do "
            "not pass this mail on."
        ),
        "",
    ]
    assert "have it sent again" not in linked().text


def _lines(mail: Mail) -> list[str]:
    return mail.text.replace("\xa0", " ").splitlines()


def test_a_fact_is_a_row_with_its_name_in_front_of_its_value() -> None:
    page = ready().html.replace("\xa0", " ")
    assert re.findall(r"<tr>\n<th [^>]*scope=\"row\"[^>]*>([^<]*)</th>\n<td [^>]*>([^<]*)</td>\n</tr>", page) == [
        ("Requested", "March 1, 2026, 12:00 PM (UTC)"),
        ("Size", "456,789 bytes"),
        ("SHA-256", "ab" * 32),
        ("Export number", "exp-1"),
    ]


def test_times_are_those_of_one_time_zone_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert "March 1, 2026, 12:00 PM (UTC)" in _plain(ready().text)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("seconds, minutes", [(0, 0), (1, 1), (59, 1), (60, 1), (61, 2)])
def test_the_time_in_which_changes_may_be_missing_is_never_told_shorter_than_it_was(seconds: int, minutes: int) -> None:
    since = BEGAN.replace(second=0)
    progress = Progress(grade=Grade.ENDED, began_at=since, moved_until=since + timedelta(seconds=seconds))
    export = an_export(file=FILE, profile="f00d", progress=progress)
    told = facts.ready(export, link=None, possible_duplicate=False).moved_between
    assert told == (since, since + timedelta(minutes=minutes))
