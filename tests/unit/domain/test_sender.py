"""Who mails come from."""

import pytest

from memberships_export.domain.errors import InvalidAddress
from memberships_export.domain.mail.sender import Sender, split_sender


@pytest.mark.parametrize(
    "text, name, address",
    [
        ("exports@club.example", None, "exports@club.example"),
        ("TSV Süd 1895 e.V. <exports@club.example>", "TSV Süd 1895 e.V.", "exports@club.example"),
        ('"TSV Example" <exports@club.example>', "TSV Example", "exports@club.example"),
        ("  TSV   <exports@club.example>", "TSV", "exports@club.example"),
        ("<exports@club.example>", None, "exports@club.example"),
        ("水泳クラブ<exports@club.example>", "水泳クラブ", "exports@club.example"),
    ],
)
def test_a_sender_is_an_address_with_or_without_a_name(text: str, name: str | None, address: str) -> None:
    assert split_sender(text) == (name, address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TSV",
        "TSV <>",
        "TSV <exports>",
        "TSV <a@club.example> <b@club.example>",
        "TSV <a@club.example>, B <b@club.example>",
        "TSV <a@club.example> x",
        "TSV\r\nBcc: evil@example.org <a@club.example>",
        "TSV\nX: y <a@club.example>",
        "TSV <a@club.example\r\nBcc: evil@example.org>",
        "TSV\x00 <a@club.example>",
        "TSV\u202e <a@club.example>",
        "TSV, Süd <a@club.example>",
        "TSV; Süd <a@club.example>",
        'TSV "Süd" <a@club.example>',
        "=?utf-8?q?evil?= <a@club.example>",
        "x" * 101 + " <a@club.example>",
        "exports@süd.example",
    ],
)
def test_what_no_header_may_have_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        split_sender(text)


@pytest.mark.parametrize(
    "name", ["", " ", "a;b", "a,b", "a\r\nb", "a\nb", "a  b", "a<b", 'a"b', "a\\b", "\ud800", "x" * 101]
)
def test_a_name_that_no_header_may_have_makes_no_sender(name: str) -> None:
    with pytest.raises(InvalidAddress, match="name"):
        Sender(address="exports@club.example", name=name)


@pytest.mark.parametrize(
    "wrong", ["exports", "ü@example.org", "a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example"]
)
def test_a_sender_has_plain_addresses(wrong: str) -> None:
    with pytest.raises(InvalidAddress):
        Sender(address=wrong)
    with pytest.raises(InvalidAddress):
        Sender(address="exports@club.example", reply_to=wrong)
