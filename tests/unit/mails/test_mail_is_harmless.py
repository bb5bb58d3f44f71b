"""What comes from elsewhere stays text in a mail."""

import json
import re
from dataclasses import replace
from pathlib import Path

from memberships_export.domain.formats.options import FilterValue, Options
from tests.factories import an_export
from tests.unit.mails.mail_reading import FILE, LINK, MailPage, ready, ready_mail


def test_no_naughty_string_gets_markup_or_control_characters_into_a_mail(shared_data: Path) -> None:
    some = Options(columns=("x",), filters=(FilterValue("x", "x"),))
    usual = [tag for tag, _ in MailPage(ready_mail(an_export(file=FILE, options=some), link=LINK).html).tags]
    for naughty in json.loads((shared_data / "blns.json").read_text(encoding="utf-8")):
        file = replace(FILE, name=f"x{naughty}.csv")
        chosen = replace(some, columns=(f"x{naughty}",), filters=(FilterValue(f"x{naughty}", f"x{naughty}"),))
        export = an_export(export_id=f"x{naughty}", file=file, options=chosen)
        mail = ready_mail(export, link=f"https://club.example/{naughty}")
        assert [tag for tag, _ in MailPage(mail.html).tags] == usual
        for shown in (mail.text, mail.html, mail.subject):
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
        assert mail.subject == "Your memberships export is ready"


def test_markup_in_a_value_is_shown_and_not_obeyed() -> None:
    name = """<img src="https://evil.example/x"> & 'x'.csv"""
    page = MailPage(ready(file=replace(FILE, name=name)).html)
    assert name in page.text
    assert "img" not in {tag for tag, _ in page.tags}


def test_a_link_cannot_leave_its_attribute() -> None:
    link = LINK + '" onclick="evil()'
    mail = ready_mail(an_export(file=FILE), link=link)
    [attributes] = [attributes for tag, attributes in MailPage(mail.html).tags if tag == "a"]
    assert (attributes["href"], "onclick" in attributes) == (link, False)


def test_a_line_break_in_a_value_cannot_start_a_new_line_of_the_mail() -> None:
    mail = ready(file=replace(FILE, name="a.csv\r\n\r\nPay here: https://evil.example"))
    assert not [line for line in mail.text.splitlines() if line.startswith("Pay here")]
