"""Translations as gettext catalogues, each read when its language is first needed."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import memberships_export
from memberships_export.domain.formats.headings import Translate

if TYPE_CHECKING:
    from gettext import NullTranslations

_DOMAIN = "messages"


class Catalogues:
    """The port Translations, over `translations/<language>/LC_MESSAGES/messages.mo`."""

    def into(self, language: str) -> Translate:
        """Return what translates into the language; a region behind it, as in de-CH, is of no importance."""
        return catalogue(language).gettext


def catalogue(language: str) -> "NullTranslations":
    """Return the translations of a language such as de or de-CH; English texts stay as they are where it has none."""
    return _catalogue(language.partition("-")[0])


@cache
def _catalogue(language: str) -> "NullTranslations":
    # Takes long to load, and who starts does not wait for it.
    from gettext import translation  # noqa: PLC0415

    folder = Path(memberships_export.__file__).parent / "translations"
    return translation(_DOMAIN, folder, [language], fallback=True)
