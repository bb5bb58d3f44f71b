"""Which keys a file may have: safe as a path in any folder and in any bucket."""

import re

# Names may not start with a dot: that rules out ".." and keeps files still being written out of reach.
_KEY = re.compile(r"(?!\.)[A-Za-z0-9._-]+(/(?!\.)[A-Za-z0-9._-]+)*")


def checked_key(key: str) -> str:
    """Return the key. Raises ValueError for one that might lead out of its folder or to no file."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"The file key {key!r} is not made of names of A-Z a-z 0-9 . _ - with / between them.")
    return key
