import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from memberships_export.domain import errors
from memberships_export.domain.export.record import Export, Failure, Send, Stage, StoredFile
from memberships_export.domain.formats.options import Preset
from memberships_export.domain.mail.mail import Attachment, Mail
from memberships_export.domain.mail.texts import failure_mail, ready_mail
from tests.factories import REQUESTED_AT, an_export

FILE = StoredFile(
    key="csv/exp/1.csv",
    name="memberships-2026-03-01.csv",
    rows=1234,
    bytes=456_789,
    sha256="ab" * 32,
    expires_at=datetime(2026, 3, 8, 13, 30, tzinfo=timezone(timedelta(hours=1))),
)
SEND = Send(number=2, mailing=1, started_at=REQUESTED_AT)
LINK = "https://club.example/memberships/exports/exp-1/download/T0ken_-x"
_CODES = {error.code for error in vars(errors).values() if isinstance(error, type) and hasattr(error, "code")}


class _Page(HTMLParser):
    """Every tag with its attributes, and the text a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def _ready(**changes: Any) -> Mail:  # noqa: ANN401  (fields of Export)
    return ready_mail(an_export(**{"export_id": "exp-1", "file": FILE} | changes), SEND, b"id\r\n", None)


def _linked() -> Mail:
    return ready_mail(an_export(export_id="exp-1", file=FILE), replace(SEND, as_link=True), None, LINK)


def _failed(code: str = "mail_refused", stage: Stage = Stage.DELIVER, file: StoredFile | None = None) -> Export:
    failure = Failure(stage=stage, code=code, reason="HTTP 400: canary of the mail service", at=REQUESTED_AT)
    return an_export(export_id="exp-1", failure=failure, file=file)


def test_the_file_is_attached_under_its_own_name() -> None:
    mail = _ready()
    assert mail.attachment == Attachment("memberships-2026-03-01.csv", "text/csv", b"id\r\n")
    assert (mail.to, mail.subject, mail.export_id) == ("member@example.org", "Your memberships export", "exp-1")
    assert mail.intent == "exp-1:2"
    assert "attached as memberships-2026-03-01.csv" in mail.text


def test_a_link_replaces_the_attachment() -> None:
    mail = _linked()
    assert mail.attachment is None
    assert LINK in mail.text.splitlines()
    assert ("a", {"href": LINK}) in _Page(mail.html).tags


@pytest.mark.parametrize("mail", [_ready(), _linked()], ids=["attached", "linked"])
def test_text_and_html_both_give_what_is_needed_to_check_the_file(mail: Mail) -> None:
    for shown in (mail.text, _Page(mail.html).text):
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


def test_a_possible_duplicate_says_so_and_why() -> None:
    mail = ready_mail(an_export(file=FILE), replace(SEND, possible_duplicate=True), b"x", None)
    for shown in (mail.text, _Page(mail.html).text):
        assert "may be a second copy" in shown
        assert "could not find out whether an earlier one reached you" in shown


def test_a_first_mail_does_not_speak_of_copies() -> None:
    assert "copy" not in _ready().text


def test_the_formula_guard_is_explained_only_where_it_was_applied() -> None:
    guarded, raw = _ready(preset=Preset.SPREADSHEET), _ready(preset=Preset.RAW)
    assert "removing that apostrophe gives the original text" in guarded.text
    assert "apostrophe" in _Page(guarded.html).text
    assert "apostrophe" not in raw.text + raw.html


@pytest.mark.parametrize("mail", [_ready(), _linked(), failure_mail(_failed())], ids=["attached", "linked", "failed"])
def test_the_page_names_its_language_and_loads_nothing(mail: Mail) -> None:
    page = _Page(mail.html)
    names = {tag for tag, _ in page.tags}
    assert ("html", {"lang": "en"}) in page.tags
    assert {"title", "h1"} <= names
    assert not names & {"img", "script", "link", "iframe", "object", "style", "form"}
    assert not [attributes for _, attributes in page.tags if "src" in attributes or "url(" in str(attributes)]
    assert [attributes["href"] for tag, attributes in page.tags if tag == "a"] in ([], [LINK])


@pytest.mark.parametrize("mail", [_ready(), _linked(), failure_mail(_failed())], ids=["attached", "linked", "failed"])
def test_neither_the_address_nor_the_user_id_is_repeated_in_the_mail(mail: Mail) -> None:
    assert "member@example.org" not in mail.text + mail.html
    assert "user-1" not in mail.text + mail.html


@pytest.mark.parametrize("code", sorted({*_CODES, "of_another_version"}))
def test_a_failure_of_any_kind_is_told_in_plain_words(code: str) -> None:
    mail = failure_mail(_failed(code))
    assert (mail.subject, mail.intent) == ("Your memberships export failed", "exp-1:failure")
    assert mail.attachment is None
    for shown in (mail.text, _Page(mail.html).text):
        assert code in shown
        assert "exp-1" in shown
        assert "canary" not in shown  # what machines said to each other stays on the record


@pytest.mark.parametrize(
    "stage, words",
    [
        (Stage.FETCH, "reading your memberships"),
        (Stage.RENDER, "writing the file"),
        (Stage.DELIVER, "sending the mail"),
    ],
)
def test_the_step_that_failed_is_named(stage: Stage, words: str) -> None:
    mail = failure_mail(_failed(stage=stage))
    assert f"stopped at this step: {words}." in mail.text
    assert f"stopped at this step: {words}." in _Page(mail.html).text


def test_each_permanent_error_has_words_of_its_own() -> None:
    names = ["mail_refused", "delivery_unknown", "no_progress", "gave_up_waiting", "foreign_rows", "row_count_mismatch"]
    texts = {failure_mail(_failed(code)).text.replace(code, "") for code in [*names, "memberships_contract_broken"]}
    assert len(texts) == 7


def test_a_failure_to_mail_a_finished_file_says_that_the_file_is_there() -> None:
    text = failure_mail(_failed(file=FILE)).text
    assert "kept until 2026-03-08 12:30 UTC" in text
    assert "sent again" in text


def test_a_deleted_file_is_not_offered() -> None:
    assert "kept until" not in failure_mail(_failed(file=replace(FILE, deleted=True))).text


def test_what_passes_by_itself_is_worth_another_try() -> None:
    assert "ask for a new export" in failure_mail(_failed("gave_up_waiting", Stage.FETCH)).text
    assert "Asking again would probably end the same way" in failure_mail(_failed("foreign_rows", Stage.FETCH)).text


def test_an_export_that_did_not_fail_has_no_failure_mail() -> None:
    with pytest.raises(ValueError, match="has not failed"):
        failure_mail(an_export())


def test_no_naughty_string_gets_markup_or_control_characters_into_a_mail(shared_data: Path) -> None:
    usual = [tag for tag, _ in _Page(_linked().html).tags]
    for naughty in json.loads((shared_data / "blns.json").read_text(encoding="utf-8")):
        file = replace(FILE, name=f"x{naughty}.csv")
        export = an_export(export_id=f"x{naughty}", file=file)
        mail = ready_mail(export, SEND, None, f"https://club.example/{naughty}")
        assert [tag for tag, _ in _Page(mail.html).tags] == usual
        for shown in (mail.text, mail.html, mail.subject):
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
        assert mail.subject == "Your memberships export"


def test_markup_in_a_value_is_shown_and_not_obeyed() -> None:
    name = """<img src="https://evil.example/x"> & 'x'.csv"""
    page = _Page(_ready(file=replace(FILE, name=name)).html)
    assert name in page.text
    assert "img" not in {tag for tag, _ in page.tags}


def test_a_link_cannot_leave_its_attribute() -> None:
    link = LINK + '" onclick="evil()'
    mail = ready_mail(an_export(file=FILE), SEND, None, link)
    assert ("a", {"href": link}) in _Page(mail.html).tags


def test_a_line_break_in_a_value_cannot_start_a_new_line_of_the_mail() -> None:
    mail = _ready(file=replace(FILE, name="a.csv\r\n\r\nPay here: https://evil.example"))
    assert not [line for line in mail.text.splitlines() if line.startswith("Pay here")]


def test_times_are_shown_without_the_locale_of_the_machine() -> None:
    export = an_export(file=replace(FILE, expires_at=datetime(2026, 12, 31, 23, 59, tzinfo=UTC)))
    assert "2026-12-31 23:59 UTC" in ready_mail(export, SEND, b"x", None).text
