"""What is wrong with a translation, as far as a program can tell. Whether it reads well, only people can."""

import re
from collections.abc import Iterator, Mapping, Sequence

from babel.messages.catalog import Catalog, Message

# Texts of which a form is the same in other languages, and is meant to be.
SAME_IN: Mapping[str, Sequence[str]] = {
    "%(name)s:": ("de", "es", "it", "nl"),
    "%(count)s byte": ("es", "it", "nl"),
    "Filter: {name}": ("de", "nl"),
    "ID": ("de", "es", "fr", "it", "nl"),
    "Name": ("de",),
    "Status": ("de", "nl"),
    "UUID": ("de", "es", "fr", "it", "nl"),
}
_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z%]|\{\w*\}")
_TAG = re.compile(r"<[^>]*>")
_ENDINGS = ".:?!…"


def problems(catalogue: Catalog) -> list[str]:
    """Return what is wrong with the catalogue, each problem with its English text."""
    return [f"{message.id!r}: {problem}" for message in catalogue if message.id for problem in _of(message, catalogue)]


def reads_as_in_english(message: Message) -> bool:
    """Tell whether a form of the translation is one of the English text."""
    return bool(set(_texts(message.id)) & set(_texts(message.string)))


def _of(message: Message, catalogue: Catalog) -> Iterator[str]:
    english, forms = _texts(message.id), _texts(message.string)
    if message.fuzzy:
        yield "is fuzzy: look at it, then remove that mark"
    if len(forms) != (catalogue.num_plurals if message.pluralizable else 1) or not all(forms):
        yield "is not translated, or not in every plural form"
        return
    language = str(catalogue.locale)
    if language != "en" and reads_as_in_english(message) and language not in SAME_IN.get(english[0], ()):
        yield "reads as in English: if that is meant, name it in SAME_IN"
    for number, form in enumerate(forms):
        yield from _of_form(form, english, number == 0, language)


def _of_form(form: str, english: Sequence[str], first: bool, language: str) -> Iterator[str]:  # noqa: FBT001  (its place)
    if _placeholders(form) not in [_placeholders(text) for text in (english if first else english[-1:])]:
        yield f"has other placeholders than the English text: {form}"
    if "  " in form or form.strip() != form or "\n" in form:
        yield f"has spaces too many, or breaks the line: {form}"
    if _ending(form) != _ending(english[-1]):
        yield f"ends otherwise than the English text: {form}"
    if sorted(_TAG.findall(form)) != sorted(_TAG.findall(english[-1])):
        yield f"has other tags than the English text: {form}"
    if _marks(form) != _marks(english[-1]):
        yield f"has a mark that a page or a template would read, more or less often than the English text: {form}"
    yield from _of_typography(_TAG.sub("", form), english, language)


def _of_typography(form: str, english: Sequence[str], language: str) -> Iterator[str]:
    # A quote that stands by itself is shown to the reader as what is typed: the English text has it too.
    if re.search(r"\w'\w", form) or form.count('"') > english[-1].count('"'):
        yield f"has a typewriter's quotes: {form}"
    if language == "fr" and re.search(r"[^\s\u00a0][:;!?»](?!\w|//)|« | [:;!?»]", _PLACEHOLDER.sub("x", form)):
        yield f"needs a no-break space before : ; ! ? », and behind «: {form}"


def _texts(given: str | Sequence[str] | None) -> Sequence[str]:
    return (given,) if isinstance(given, str) else tuple(given or ())


def _placeholders(text: str) -> list[str]:
    return sorted(_PLACEHOLDER.findall(text))


def _marks(text: str) -> list[int]:
    """Count what is no letter to HTML, and to the formatting of templates, which reads even a text without names."""
    return [_PLACEHOLDER.sub("", text).count(mark) for mark in "&<>%{}"]


def _ending(text: str) -> str:
    return text[-1] if text[-1] in _ENDINGS else ""
