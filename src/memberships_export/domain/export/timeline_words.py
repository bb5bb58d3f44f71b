"""The timeline of an export in words, for people: one table, for the command line and whatever shows it later."""

from collections.abc import Mapping

from memberships_export.domain.export.record import Happened

WORDS: Mapping[Happened, str] = {
    Happened.CLAIMED: "a worker took it (number {0})",
    Happened.PAGES: "pages read: {0}",
    Happened.WALK_AGAIN: "the pages are read from the beginning again (walk {0})",
    Happened.FETCHED: "all memberships are read, rows: {0}",
    Happened.RENDERED: "the file is made, bytes: {0}",
    Happened.SENDING: "mail {0} is handed over",
    Happened.EVIDENCE: "mail {0}: the answer of the mail service was {1}",
    Happened.DELIVERY: "mail {0}: the mail service says {1}",
    Happened.WAITING: "it waits: {0}",
    Happened.RETRIED: "an operator brought the next try forward",
    Happened.STOPPED: "the worker stopped in good order",
    Happened.COMPLETED: "completed",
    Happened.FAILED: "failed: {0}",
    Happened.CANCELLED: "cancelled",
    Happened.RESENT: "the file is to be mailed again",
    Happened.REDRIVEN: "an operator put it back on its way",
    Happened.FILE_GONE: "the file was deleted",
    Happened.DOWNLOADED: "the file was downloaded, by {0}",
}


def in_words(what: str, detail: str) -> str:
    """Say what happened. What a newer version tells, and we have no words for, stays as it is."""
    try:
        return WORDS[Happened(what)].format(*detail.split(" "))
    except (ValueError, KeyError, IndexError):
        return f"{what} {detail}".rstrip()
