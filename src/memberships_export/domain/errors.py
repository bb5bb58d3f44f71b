"""What can go wrong with an export: errors that pass, and errors that do not."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

LONGEST_REASON = 4000  # characters


class ExportError(Exception):
    """Something went wrong with an export."""

    code: ClassVar[str] = "export_error"

    def __init__(self, reason: str | None = None) -> None:
        """Keep the reason; without one, the docstring of the class is the reason."""
        self.reason = _tellable(reason or (type(self).__doc__ or self.code).strip())
        super().__init__(self.reason)


# --- Transient: it will pass, the export waits and is tried again -----------------------------------------------------


class TransientError(ExportError):
    """Something that will pass is in the way."""

    code = "temporary_problem"

    def __init__(self, reason: str | None = None, *, retry_after: float | None = None) -> None:
        """`retry_after`: seconds the other side asked us to stay away, if it did."""
        super().__init__(reason)
        self.retry_after = retry_after


class MembershipsUnavailable(TransientError):
    """The memberships API does not answer as it should."""

    code = "memberships_unavailable"


class MembershipsRefused(TransientError):
    """The memberships API refuses us, or we refuse it: a person has to mend that."""

    code = "memberships_refused"


class MembershipsCutShort(TransientError):
    """The memberships API sent a page that ends in its middle."""

    code = "memberships_cut_short"


class MailRefusedForNow(TransientError):
    """The mail service does not take the mail at the moment."""

    code = "mail_refused_for_now"


class DeliveryUnconfirmed(TransientError):
    """The mail service gave no clear answer; waiting for it to tell whether the mail was accepted."""

    code = "delivery_unconfirmed"


class StorageUnavailable(TransientError):
    """The storage of the service cannot be used at the moment."""

    code = "storage_unavailable"


class UnreadableRecord(StorageUnavailable):
    """The record of an export cannot be read. A newer version of the service may be able to."""

    code = "unreadable_record"

    def __init__(self, export_id: str, user_id: str = "", requested_at: datetime | None = None) -> None:
        """`user_id`, `requested_at`: as far as the store knows them beside the record."""
        super().__init__(
            f"The record of export {export_id or '(unknown)'} cannot be read: it is damaged, or was written by a newer "
            "version of the service. The others are not touched by that."
        )
        self.export_id = export_id
        self.user_id = user_id
        self.requested_at = requested_at


class FileMissing(TransientError):
    """A stored file of the export is not there."""

    code = "file_missing"


class FileDamaged(FileMissing):
    """A stored file of the export is not what was stored: as good as missing."""

    code = "file_damaged"

    def __init__(self, key: str, found: str) -> None:
        """`key`: its place in the file store; `found`: what is wrong with it."""
        super().__init__(f"The stored file {key} is damaged: {found}. It is not used, and made anew.")
        self.key = key


# --- Permanent: trying again would give the same answer ---------------------------------------------------------------


class PermanentError(ExportError):
    """Trying again would give the same answer."""

    code = "permanent_problem"


class MembershipsContractBroken(PermanentError):
    """The memberships API answered something that its contract does not allow."""

    code = "memberships_contract_broken"


class NothingThere(MembershipsContractBroken):
    """The memberships API knows nothing of what was asked for (status 400, 404, 410 or 422)."""


class PlaceForgotten(MembershipsContractBroken):
    """The memberships API does not know any more where the walk through its pages stood: it starts over."""


class ForeignRows(PermanentError):
    """The memberships API sent memberships of another user."""

    code = "foreign_rows"


class UnknownMember(PermanentError):
    """The memberships API has no user with exactly this address, or several."""

    code = "unknown_member"


class RowCountMismatch(PermanentError):
    """The number of rows does not add up."""

    code = "row_count_mismatch"


class RowsMoved(RowCountMismatch):
    """Memberships were added or removed while the pages were read: the walk starts over."""


class LimitExceeded(PermanentError):
    """The export takes more pages, bytes or time than one may."""

    code = "limit_exceeded"


class MailRefused(PermanentError):
    """The mail service refused the mail for good."""

    code = "mail_refused"


class DeliveryUnknown(PermanentError):
    """Nobody can tell whether the mail was accepted."""

    code = "delivery_unknown"


class NoProgress(PermanentError):
    """Workers started on this export again and again, and none got any further."""

    code = "no_progress"


class GaveUpWaiting(PermanentError):
    """What was in the way did not pass in time."""

    code = "gave_up_waiting"


class StillRefused(PermanentError):
    """A refusal that a person has to mend was not mended in time."""

    code = "still_refused"


class ColumnsGone(PermanentError):
    """The export has a column that the profile in force does not have any more."""

    code = "columns_gone"


class FilterGone(PermanentError):
    """The export is narrowed by a filter that the profile in force does not have any more."""

    code = "filter_gone"


class InvalidMessage(PermanentError):
    """The queue message cannot be understood."""

    code = "invalid_message"


# --- Control flow: the caller must stop or decide again ---------------------------------------------------------------


class LeaseLost(ExportError):
    """Another worker holds this export now, or it was cancelled: this one must stop and change nothing."""

    code = "lease_lost"


class NotNow(ExportError):
    """A worker that may still be alive holds the export, or it waits for a later time."""

    code = "not_now"

    def __init__(self, until: datetime) -> None:
        """`until`: when it is worth another look."""
        super().__init__()
        self.until = until


class IllegalTransition(ExportError):
    """The export's status does not allow this."""

    code = "illegal_transition"


class StopRequested(ExportError):
    """The worker was asked to stop, or its time limit is near."""

    code = "stop_requested"


class OutOfTime(StopRequested):
    """The worker had to stop in the middle of a step that begins anew each time."""

    code = "out_of_time"


class UnknownExport(ExportError):
    """There is no such export."""

    code = "unknown_export"


class FileGone(ExportError):
    """The export's file has expired and was deleted, or was never made."""

    code = "file_gone"


class RateLimited(ExportError):
    """Too many exports were asked for."""

    code = "rate_limited"

    def __init__(self, reason: str, *, retry_after: float) -> None:
        """`retry_after`: seconds until the next export may be asked for."""
        super().__init__(reason)
        self.retry_after = retry_after


class InvalidUserId(ExportError):
    """The text is not the id of a user."""

    code = "invalid_user_id"


class InvalidAddress(ExportError):
    """The text is not one plain email address."""

    code = "invalid_address"


class InvalidOptions(ExportError):
    """What was chosen for the file cannot be had, or does not fit together."""

    code = "invalid_options"

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        """`problems`: the option, and what is wrong with it, each in a sentence for who asked."""
        super().__init__(" ".join(f"{option}: {problem}" for option, problem in problems))
        self.problems = problems


class IdempotencyKeyReused(ExportError):
    """The same Idempotency-Key was used before with other options."""

    code = "idempotency_key_reused"


def _tellable(reason: str) -> str:
    """Keep what logs, records and attributes of messages can hold: others may have chosen parts of it, such as keys."""
    if len(reason) > LONGEST_REASON:
        reason = f"{reason[: LONGEST_REASON - 1]}…"
    if reason.isprintable():
        return reason
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in reason)
