"""What a mail service says, made fit for a record: short, one line, no address, no key."""

import re

from memberships_export.domain.mail.plain_text import one_line, shortened

_ADDRESS = re.compile(r"\S*(?:[@\uff20\ufe6b]|%40)\S*", re.IGNORECASE)
_KEY = re.compile(r"\bSG\.[\w.-]+")
_LIMIT = 300


def fit_for_record(text: str, *secrets: str) -> str:
    """Take out everything that looks like an address or a SendGrid key, and `secrets` whatever they look like."""
    line = one_line(text)
    for secret in secrets:
        line = line.replace(secret, "[key]")
    return shortened(_ADDRESS.sub("[address]", _KEY.sub("[key]", line)), _LIMIT)
