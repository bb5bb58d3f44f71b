"""Why a row cannot be merged, in words."""

from memberships_api.csv_files.fields import shown
from memberships_api.csv_files.problems import Problem
from memberships_api.staging import Clash, Conflict

_WORDS = {
    Clash.ID_TWICE: "id is {value}: {other} rows of this file have it.",
    Clash.UUID_TWICE: "uuid is {quoted}: {other} rows of this file have it.",
    Clash.SAME_MEMBERSHIP: "uuid is {quoted}: it is membership {other}, and another row of this file has that id.",
    Clash.ID_TAKEN: "id is {value}: it is in the database already. To change that membership, say --update.",
    Clash.OTHER_USER: (
        "userId is {quoted}: membership {other} belongs to another user, and an import does not hand it over. "
        "Correct the id, or add the row as a new one."
    ),
    # Such a row would appear in the middle of pages that are being read.
    Clash.ID_TOO_LOW: "id is {value}: new rows of this user need ids above {other}, or none.",
    Clash.UUID_TAKEN: "uuid is {quoted}: membership {other} in the database has it already.",
    Clash.ENDS_BEFORE_START: "validUntil is {value!r}: it must not be before validFrom, {other!r}.",
}


def in_words(conflict: Conflict) -> Problem:
    """Say what stands against a row, and what to do."""
    words = _WORDS[conflict.clash]
    text = words.format(value=conflict.value, other=conflict.other, quoted=shown(conflict.value))
    return Problem(text, conflict.line)
