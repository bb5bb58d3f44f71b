"""The catalogues of what is said to members: collects the texts, keeps what is translated, compiles.

`python -m rig.translations` writes `messages.po` and `messages.mo` of each language. A test tells when they are not
what this would write. The same texts give the same bytes on every machine: no dates, no line numbers.
"""

import tomllib
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from memberships_export.domain.formats.options import LANGUAGES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "memberships_export"
CATALOGUES = PACKAGE / "translations"
ORIGINAL = "en"  # the language that texts are written in
TEMPLATE_OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
_HEAD = "# What is said to members. `make translations` collects the English texts; msgstr is for people to write."
Text: TypeAlias = str | tuple[str, str]  # one text, or its singular and plural
_In: TypeAlias = tuple[Text, Path]


class Found(NamedTuple):
    """A text to translate, and the file where it stands, as a path from the root."""

    text: Text
    path: str


class Texts(Catalog):
    """A catalogue whose head says only what programs need to read it."""

    @property  # type: ignore[misc]  # nobody sets it on one of these
    def mime_headers(self) -> list[tuple[str, str]]:
        """Leave out dates, people and versions of tools: they change when no text does."""
        return [
            ("Language", str(self.locale)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def po_path(language: str) -> Path:
    return CATALOGUES / language / "LC_MESSAGES" / "messages.po"


def extracted(root: Path = ROOT) -> list[Found]:
    """Return all texts that are shown to members, each with every place of it."""
    package = root / PACKAGE.relative_to(ROOT)
    texts = {*_of_code(package), *_of_templates(package), *_of_profiles(package)}
    found = [Found(text, path.relative_to(root).as_posix()) for text, path in texts]
    return sorted(found, key=lambda one: (_key(one.text), one.path))


def updated(language: str, found: Iterable[Found], old: Catalog) -> Texts:
    """Return the catalogue of the texts found, with what the old one says of them; nothing is guessed."""
    made = Texts(locale=language, header_comment=_HEAD, fuzzy=False)
    for text, path in found:
        before = old.get(text)
        made.add(
            text,
            text if language == ORIGINAL else _translated(text, before),
            locations=[(path, 0)],
            flags=(before.flags & {"fuzzy"}) if before else (),
            user_comments=before.user_comments if before else (),
        )
    return made


def read(language: str) -> Catalog:
    """Return the catalogue as it is kept, an empty one for a language that has none yet."""
    if not po_path(language).exists():
        return Catalog(locale=language)
    with po_path(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def po(catalogue: Catalog) -> bytes:
    """Return the catalogue as people translate it."""
    written = BytesIO()
    write_po(written, catalogue, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return written.getvalue()


def mo(catalogue: Catalog) -> bytes:
    """Return the catalogue as it is read where a text is shown."""
    written = BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def _of_code(package: Path) -> Iterator[_In]:
    for path in package.rglob("*.py"):
        yield from _marked(path, extract_python, {"translatable": None})


def _of_templates(package: Path) -> Iterator[_In]:
    for path in [*package.glob("mail/**/*.txt"), *package.glob("mail/**/*.html")]:
        yield from _marked(path, babel_extract, {"_": None, "gettext": None, "ngettext": (1, 2)}, TEMPLATE_OPTIONS)


def _marked(path: Path, method: Any, functions: Any, options: Any = None) -> Iterator[_In]:  # noqa: ANN401  (Babel's own)
    with path.open("rb") as file:
        for _line, text, _comments, _context in extract(method, file, functions, options=options):
            yield text if isinstance(text, str) else (text[0], text[1]), path


def _of_profiles(package: Path) -> Iterator[_In]:
    for path in package.glob("shipped/profiles/*.toml"):
        profile = tomllib.loads(path.read_text(encoding="utf-8"))
        for labelled in [*profile["columns"], *profile.get("filters", {}).values()]:
            if label := labelled.get("labels", {}).get(ORIGINAL):
                yield label, path


def _key(text: Text) -> str:
    return text if isinstance(text, str) else text[0]


def _translated(text: Text, before: Message | None) -> Any:  # noqa: ANN401  (as many texts as there are plural forms)
    """Return what was translated before, if it was the same text: also its plural."""
    return before.string if before is not None and before.id == text else None


def main() -> None:
    """Write all catalogues."""
    found = extracted()
    for language in LANGUAGES:
        catalogue = updated(language, found, read(language))
        po_path(language).parent.mkdir(parents=True, exist_ok=True)
        po_path(language).write_bytes(po(catalogue))
        po_path(language).with_suffix(".mo").write_bytes(mo(catalogue))


if __name__ == "__main__":
    main()
