"""Languages as people and programs name them (BCP 47), and the ones that members can be written to in."""

import re
from collections.abc import Mapping

OWN_NAMES: Mapping[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "it": "Italiano",
    "nl": "Nederlands",
    "es": "Español",
}

# `re` compiles it when it is needed, and keeps it. Some write an underscore, as POSIX has it.
_TAG = r"([a-z]{2,3})(?:[-_][a-z]{4})?(?:[-_]([a-z]{2}|[0-9]{3}))?(?:[-_][a-z0-9]{1,8})*"
_LONGEST_TAG = 35  # RFC 5646, section 4.4.1


def language_of(tag: str) -> str | None:
    """Return one of our languages, with its region if it names one, as in `de-CH`; None for any other.

    A script, a variant and an extension are left out: nothing of ours depends on them.
    """
    found = re.fullmatch(_TAG, tag, re.IGNORECASE | re.ASCII) if len(tag) <= _LONGEST_TAG else None
    if found is None or found[1].lower() not in OWN_NAMES:
        return None
    return f"{found[1].lower()}-{found[2].upper()}" if found[2] else found[1].lower()
