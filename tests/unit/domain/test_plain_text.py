"""Text from elsewhere, made fit for mails and records."""

import pytest

from memberships_export.domain.mail.plain_text import many_lines, one_line, shortened


@pytest.mark.parametrize(
    "text, lines, line",
    [
        ("plain", "plain", "plain"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd", "a b c d"),
        ("  a \t b  ", "  a \t b  ", "a b"),
        ("a\x00b\x1fc\x7fd\x9fe", "abcde", "abcde"),
        ("a\u202eb\u200fc\u2066d\u061ce", "abcde", "abcde"),
        ("\ud800x\udfff", "\ufffdx\ufffd", "\ufffdx\ufffd"),
        ("a\u2028b\x85c", "a\u2028bc", "a bc"),
        ("Süd 🏊", "Süd 🏊", "Süd 🏊"),
    ],
)
def test_what_cannot_be_seen_or_sent_is_left_out(text: str, lines: str, line: str) -> None:
    assert many_lines(text) == lines
    assert one_line(text) == line


@pytest.mark.parametrize("text, short", [("", ""), ("abcd", "abcd"), ("abcde", "abc…")])
def test_what_is_too_long_ends_in_an_ellipsis(text: str, short: str) -> None:
    assert shortened(text, 4) == short
