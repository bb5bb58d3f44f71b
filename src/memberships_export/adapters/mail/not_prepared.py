"""What a mailer answers when a mail cannot even be written: a bug, and certainly no mail."""

import logging
from traceback import extract_tb

from memberships_export.domain.export.record import Evidence
from memberships_export.domain.mail.mail import SendResult

log = logging.getLogger(__name__)


def not_prepared(error: Exception) -> SendResult:
    """Log a bug. Without its text, which may quote the mail or a key."""
    places = [f"{place.filename}:{place.lineno}" for place in extract_tb(error.__traceback__)]
    log.error("error=%s at=%s event=internal_error", type(error).__name__, " ".join(places))
    return SendResult(evidence=Evidence.REFUSED, detail=f"The mail cannot be prepared ({type(error).__name__}).")
