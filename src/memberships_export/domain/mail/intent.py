"""The names of mails across systems."""

from memberships_export.domain.export.record import Export, Send

_MOST_SENDS = 10_000  # of one export: ten mailings an hour for a month, and some that were repeated
_MOST_DIGITS = 9  # of a send number; more is somebody else's text


def send_intent(export: Export, send: Send) -> str:
    """Name a send across systems: it travels with the mail and comes back in the mail service's events."""
    return f"{export.export_id}:{send.number}"


def failure_intent(export: Export) -> str:
    """Name the mail that tells of a failure. It belongs to no send."""
    return f"{export.export_id}:failure"


def intents_of(export_id: str) -> list[str]:
    """Name all mails that an export can have had, when its record is gone."""
    return [f"{export_id}:failure", *(f"{export_id}:{number}" for number in range(1, _MOST_SENDS))]


def parse_send_intent(text: str) -> tuple[str, int] | None:
    """Read what `send_intent` wrote: (export id, send number), or None for anything else."""
    export_id, _, number = text.rpartition(":")
    is_number = number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS
    return (export_id, int(number)) if export_id and is_number else None
