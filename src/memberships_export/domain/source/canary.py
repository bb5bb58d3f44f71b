"""A user that cannot exist. Where rows name no owner, an API that filters has no rows for this one."""

import re

from memberships_export.domain.source.asking import User

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NO_ONE = User("mx-00000000000000000000", "mx-00000000000000000000@canary.invalid")


def nobody_like(user: User) -> User:
    """Return a user that does not exist, with an id of the same form: an API may refuse another form unread.

    The largest number of 32 bits but a few; a UUID of the variant that nobody makes; else a text.
    """
    if user.id.isascii() and user.id.isdigit():
        return User("2147483629", _NO_ONE.email)
    return User("00000000-0000-4000-c000-000000000000", _NO_ONE.email) if _UUID.fullmatch(user.id) else _NO_ONE
