"""What a member reads about a trouble or a failure.

Hosts, statuses and causes are for operators: they are in the log, on the record and at the dead letter desk.
The texts are English; mails translate them where they are written.
"""

from collections.abc import Mapping

from memberships_export.domain import errors
from memberships_export.domain.export.record import Delivery, Send
from memberships_export.domain.translatable import translatable

_TEXTS: Mapping[str, str] = {
    # An export that waits.
    errors.MembershipsUnavailable.code: translatable("The membership data cannot be read at the moment."),
    errors.MembershipsCutShort.code: translatable("The membership data broke off while it was read."),
    errors.MembershipsRefused.code: translatable(
        "The membership data is not open to this service at the moment; it was reported."
    ),
    errors.MailRefusedForNow.code: translatable("The mail with your file is not taken for sending at the moment."),
    errors.DeliveryUnconfirmed.code: translatable(
        "We are waiting to hear whether the mail with your file was accepted."
    ),
    errors.StorageUnavailable.code: translatable("Our storage cannot be used at the moment."),
    errors.FileMissing.code: translatable("A part of your file was lost and is made again."),
    errors.FileDamaged.code: translatable("A part of your file was damaged and is made again."),
    # An export that failed.
    errors.MembershipsContractBroken.code: translatable(
        "The membership data arrived in a form that we could not read."
    ),
    errors.ForeignRows.code: translatable(
        "The data did not match your account, so we stopped. Nothing was sent to anybody."
    ),
    errors.UnknownMember.code: translatable(
        "We found no membership account with exactly your email address, or more than one."
    ),
    errors.RowCountMismatch.code: translatable(
        "A check found that the file would not have been complete, so we did not send it."
    ),
    errors.MailRefused.code: translatable("The mail with your file was not accepted for sending."),
    errors.DeliveryUnknown.code: translatable("We cannot tell whether the mail with your file reached you."),
    errors.NoProgress.code: translatable("The export was started several times and did not get any further."),
    errors.GaveUpWaiting.code: translatable(
        "Something that we need was out of order for too long, so we stopped trying."
    ),
    errors.StillRefused.code: translatable(
        "Our access to the membership data was refused for too long, so we stopped trying."
    ),
    errors.LimitExceeded.code: translatable("There was more to read, or it took longer, than one export may have."),
    errors.ColumnsGone.code: translatable("A column that you asked for does not exist any more."),
    errors.FilterGone.code: translatable("A filter that you asked for does not exist any more."),
    errors.InvalidMessage.code: translatable("The request for this export could not be understood."),
}
_OTHER = translatable("Something went wrong on our side.")


def reason_for_members(code: str) -> str:
    """Say in plain words what a code of a trouble or a failure means; one sentence for codes without words."""
    return _TEXTS.get(code, _OTHER)


def detail_for_members(send: Send) -> str | None:
    """Say what became of a mail that did not arrive; None for any other."""
    bounced = translatable("The mail came back: the address did not take it.")
    return bounced if send.delivery is Delivery.BOUNCED else None
