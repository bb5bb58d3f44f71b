"""What Babel knows of languages, cut down to those that mails are written in: 2 MB of 36, unpacked."""

from pathlib import Path

from memberships_export.domain.formats.options import LANGUAGES

_EVERY = "root"  # what all languages inherit from


def unneeded(babel: Path) -> list[Path]:
    """Return the data of other languages, and the tools that extract and compile messages.

    A language keeps all of its regions: de_CH is written otherwise than de. Which one inherits from which other stands
    in global.dat, and no language of ours inherits from one that is not ours.
    """
    data = (babel / "locale-data").glob("*.dat")
    return [*(path for path in data if _language(path) not in {_EVERY, *LANGUAGES}), babel / "messages"]


def _language(data: Path) -> str:
    return data.stem.partition("_")[0]
