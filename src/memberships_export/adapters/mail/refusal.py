"""Telling the operator that a mail service refuses us, which only a person can mend."""

import logging

log = logging.getLogger(__name__)


def tell_refusal(status: object, detail: str) -> None:
    """Log it at once; an alarm watches this event. `status`: what was answered, or none."""
    log.error("by=mail_service status=%s event=refused reason=The mail service refuses us: %s", status, detail)
