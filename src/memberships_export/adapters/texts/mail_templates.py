"""The templates of the mails: Jinja2 with the words of gettext and the forms of Babel.

Which language and zone a mail is in, its facts say; one environment serves all.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache, wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import (
    ChainableUndefined,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    ModuleLoader,
    StrictUndefined,
    Undefined,
    pass_context,
    select_autoescape,
)
from jinja2.runtime import Context
from markupsafe import Markup

import memberships_export
from memberships_export.adapters.texts import locale_forms
from memberships_export.adapters.texts.catalogues import catalogue
from memberships_export.domain.formats.options import Format
from memberships_export.domain.mail.brand import Brand
from memberships_export.domain.mail.colours import seen_on, text_on
from memberships_export.domain.mail.facts import Facts
from memberships_export.domain.mail.plain_text import shortened

FOLDER = Path(memberships_export.__file__).parent / "mail"
COMPILED = "compiled"  # in the folder, where a cold function takes them from; elsewhere there are none
LIGHT, DARK = "#ffffff", "#1d1f23"  # behind the words
_SHAPE, _TEXT = 3.0, 4.5  # the least contrast of a button with what is around it, and of words (WCAG 2, AA)
_LONGEST_LIST = 1000  # characters; more than a mail can show, and a file holds them all
log = logging.getLogger(__name__)

_KINDS = {Format.CSV: "CSV", Format.XLSX: "Excel", Format.JSONL: "JSON Lines"}  # the same in every language


class MailTemplates:
    """All mails in one look."""

    def __init__(self, brand: Brand, *, strict: bool) -> None:
        """Read no template yet. `strict`: a name that is not there is an error, and not only logged."""
        self._environment = environment(strict=strict)
        self._look = look(brand)

    def render(self, template: str, facts: Facts) -> str:
        """Fill in one template."""
        told = {field.name: getattr(facts, field.name) for field in fields(facts)}
        return self._environment.get_template(template).render(self._look, **told)


@cache
def _compiled() -> ModuleLoader:
    """Keep one for the process: its name in `sys.modules` ends with it, which others may be looking through."""
    return ModuleLoader(FOLDER / COMPILED)


def environment(*, strict: bool) -> Environment:
    """Make what reads templates. In pages everything variable is escaped."""
    made = Environment(
        loader=ChoiceLoader([_compiled(), FileSystemLoader(FOLDER)]),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined if strict else _Missing,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,  # else each mail asks the disk about each template
    )
    made.globals |= {"_": _gettext, "gettext": _gettext, "ngettext": _ngettext}
    made.filters |= {name: _if_there(form) for name, form in _FILTERS.items()}
    return made


def compile_into(folder: Path) -> None:
    """Write each template as Python: compiling them takes as long as all the rest of a first mail."""
    made = environment(strict=False)
    made.loader = FileSystemLoader(FOLDER)
    made.compile_templates(folder, zip=None, ignore_errors=False, extensions=["html", "txt"])


def look(brand: Brand) -> Mapping[str, str | None]:
    """Return what a template may name of the brand: its words, and colours that can be read by day and by night."""
    return {
        "brand_name": brand.name,
        "logo_url": brand.logo_url,
        "contact": brand.contact,
        "contact_url": _contact_url(brand.contact),
        "button_colour": brand.colour,
        "button_text_colour": text_on(brand.colour),
        "button_edge": seen_on(LIGHT, brand.colour, _SHAPE),
        "button_edge_at_night": seen_on(DARK, brand.colour, _SHAPE),
        "link_colour": seen_on(LIGHT, brand.colour, _TEXT),
        "link_colour_at_night": seen_on(DARK, brand.colour, _TEXT),
    }


def _contact_url(contact: str | None) -> str | None:
    if contact is None or contact.startswith("https://"):
        return contact
    return f"mailto:{quote(contact, safe='@')}"


class _Missing(ChainableUndefined):
    """Stands for a name that a template has wrong: the member's mail goes out without it, and the log tells."""

    def __str__(self) -> str:
        log.error("name=%s event=mail_name_missing", self._undefined_name)
        return ""

    __html__ = __str__

    def __bool__(self) -> bool:
        return bool(str(self))


def _if_there(form: Callable[..., str]) -> Callable[..., object]:
    """Let a filter alone with what is not there."""

    @pass_context
    @wraps(form)
    def filtered(context: Context, value: object) -> object:
        return value if isinstance(value, Undefined) else form(context, value)

    return filtered


def _language(context: Context) -> str:
    return str(context["language"])


@pass_context
def _gettext(context: Context, text: str, /, **values: object) -> str:
    return _with(context, catalogue(_language(context)).gettext(text), values)


@pass_context
def _ngettext(context: Context, one: str, many: str, number: int, /, **values: object) -> str:
    return _with(context, catalogue(_language(context)).ngettext(one, many, number), values)


def _with(context: Context, text: str, values: Mapping[str, object]) -> str:
    """Fill in the values. In a page they are escaped, and the text, which is ours, is not."""
    return (Markup(text) if context.eval_ctx.autoescape else text) % values  # noqa: S704  (as it says)


_FILTERS: Mapping[str, Callable[[Context, Any], str]] = {
    "translated": lambda context, text: catalogue(_language(context)).gettext(text),
    "number": lambda context, value: locale_forms.number(value, _language(context)),
    "size": lambda context, value: locale_forms.size(value, _language(context)),
    "moment": lambda context, value: locale_forms.moment(value, _language(context), str(context["time_zone"])),
    "kind": lambda _, name: _KINDS[name],
    "listed": lambda _, names: shortened(", ".join(names), _LONGEST_LIST),
    "direction": lambda _, language: locale_forms.direction(language),
}
