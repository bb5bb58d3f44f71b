"""Who runs this process, by the operating system."""

import os
import pwd


def os_user() -> str:
    """Return the name of the user; behind sudo also who called it: `jo as exports`."""
    user = os.geteuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:  # in a container, users need no names
        name = str(user)
    caller = os.environ.get("SUDO_USER", name)
    return name if caller == name else f"{caller} as {name}"
