"""What a member reads about a trouble or a failure.

Hosts, statuses and causes are for operators: they are in the log, on the record and at the dead letter desk.
"""

from collections.abc import Mapping

from memberships_export.domain import errors
from memberships_export.domain.export.record import Delivery, Send

_TEXTS: Mapping[str, str] = {
    # An export that waits.
    errors.MembershipsUnavailable.code: "The membership data cannot be read at the moment.",
    errors.MembershipsCutShort.code: "The membership data broke off while it was read.",
    errors.MembershipsRefused.code: "The membership data is not open to this service at the moment; it was reported.",
    errors.MailRefusedForNow.code: "The mail with your file is not taken for sending at the moment.",
    errors.DeliveryUnconfirmed.code: "We are waiting to hear whether the mail with your file was accepted.",
    errors.StorageUnavailable.code: "Our storage cannot be used at the moment.",
    errors.FileMissing.code: "A part of your file was lost and is made again.",
    errors.FileDamaged.code: "A part of your file was damaged and is made again.",
    # An export that failed.
    errors.MembershipsContractBroken.code: "The membership data arrived in a form that we could not read.",
    errors.ForeignRows.code: "The data did not match your account, so we stopped. Nothing was sent to anybody.",
    errors.UnknownMember.code: "We found no membership account with exactly your email address, or more than one.",
    errors.RowCountMismatch.code: "A check found that the file would not have been complete, so we did not send it.",
    errors.MailRefused.code: "The mail with your file was not accepted for sending.",
    errors.DeliveryUnknown.code: "We cannot tell whether the mail with your file reached you.",
    errors.NoProgress.code: "The export was started several times and did not get any further.",
    errors.GaveUpWaiting.code: "Something that we need was out of order for too long, so we stopped trying.",
    errors.StillRefused.code: "Our access to the membership data was refused for too long, so we stopped trying.",
    errors.LimitExceeded.code: "There was more to read, or it took longer, than one export may have.",
    errors.ColumnsGone.code: "A column that you asked for does not exist any more.",
    errors.InvalidMessage.code: "The request for this export could not be understood.",
}
_OTHER = "Something went wrong on our side."


def reason_for_members(code: str) -> str:
    """Say in plain words what a code of a trouble or a failure means; one sentence for codes without words."""
    return _TEXTS.get(code, _OTHER)


def detail_for_members(send: Send) -> str | None:
    """Say what became of a mail that did not arrive; None for any other."""
    return "The mail came back: the address did not take it." if send.delivery is Delivery.BOUNCED else None
