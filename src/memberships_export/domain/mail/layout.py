"""A short letter in blocks, written once as text and once as HTML, so that both say the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from memberships_export.domain.mail.plain_text import one_line


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences without a link."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """An address to open, under a name."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one pair per line."""

    rows: Sequence[tuple[str, str]]


Block = Paragraph | Link | Facts

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em; padding: 1em">
<h1 style="font-size: 1.3em">{title}</h1>
{blocks}
</body>
</html>
"""


def as_text(blocks: Sequence[Block]) -> str:
    """Write the mail as plain text, with an empty line between blocks."""
    return "\n\n".join(_text(block) for block in blocks) + "\n"


def as_html(title: str, blocks: Sequence[Block]) -> str:
    """Write the mail as a whole HTML page that loads nothing from elsewhere. Everything variable is escaped."""
    return _PAGE.format(title=_safe(title), blocks="\n".join(_html(block) for block in blocks))


def _text(block: Block) -> str:
    match block:
        case Paragraph(text=text):
            return one_line(text)
        case Link(name=name, url=url):
            return f"{one_line(name)}:\n{one_line(url)}"
        case Facts(rows=rows):
            return "\n".join(f"{one_line(name)}: {one_line(value)}" for name, value in rows)


def _html(block: Block) -> str:
    match block:
        case Paragraph(text=text):
            return f"<p>{_safe(text)}</p>"
        case Link(name=name, url=url):
            return f'<p><a href="{_safe(url)}">{_safe(name)}</a></p>'
        case Facts(rows=rows):
            return "<table>\n" + "\n".join(_row(name, value) for name, value in rows) + "\n</table>"


def _row(name: str, value: str) -> str:
    left = 'style="text-align: left; vertical-align: top; padding-right: 1em"'
    return f'<tr><th scope="row" {left}>{_safe(name)}</th><td style="overflow-wrap: anywhere">{_safe(value)}</td></tr>'


def _safe(text: str) -> str:
    return escape(one_line(text))
