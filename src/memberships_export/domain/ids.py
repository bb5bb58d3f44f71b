"""Which ids are taken: by one rule at both ends, so that no queue refuses what the API accepted."""

import re

LONGEST_ID = 255  # characters
# A client makes it, and logs show it: nothing in it can be an address, end a line or need quotes.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
# W3C Trace Context, 3.2.2: version, trace, parent, flags; a later version may go on behind that.
_TRACE = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def is_id(text: str) -> bool:
    """Tell whether this is an id: up to 255 characters, and each can be printed."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable()


def is_request_id(text: str) -> bool:
    """Tell whether this can name a request: up to 128 letters, digits and `._:/+=-`."""
    return _REQUEST_ID.fullmatch(text) is not None


def trace_id(traceparent: str) -> str | None:
    """Return the trace that a `traceparent` header names; None when it is not valid, and so says nothing."""
    found = _TRACE.fullmatch(traceparent)
    if found is None or (found[1] == "00" and found[3] is not None):
        return None
    return found[2]
