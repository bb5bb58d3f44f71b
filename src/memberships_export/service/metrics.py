"""The catalogue: every number that this service tells about itself. docs/metrics.md shows it as a table."""

from memberships_export.domain import errors
from memberships_export.domain.export.record import Delivery, Evidence, ExportStatus, Stage
from memberships_export.domain.export.sweeping import SweepAction
from memberships_export.domain.metric import Kind, Metric

_COUNTER, _HISTOGRAM, _GAUGE = Kind.COUNTER, Kind.HISTOGRAM, Kind.GAUGE
_REFUSALS = (
    errors.RateLimited.code,
    errors.InvalidOptions.code,
    errors.InvalidAddress.code,
    errors.InvalidUserId.code,
    errors.IdempotencyKeyReused.code,
    errors.StorageUnavailable.code,
)
TROUBLES = (
    errors.MembershipsUnavailable.code,
    errors.MembershipsRefused.code,
    errors.MembershipsCutShort.code,
    errors.MailRefusedForNow.code,
    errors.DeliveryUnconfirmed.code,
    errors.StorageUnavailable.code,
    errors.FileMissing.code,
    errors.FileDamaged.code,
    "internal_error",
)
FAILURES = (
    errors.MembershipsContractBroken.code,
    errors.ForeignRows.code,
    errors.UnknownMember.code,
    errors.RowCountMismatch.code,
    errors.LimitExceeded.code,
    errors.MailRefused.code,
    errors.DeliveryUnknown.code,
    errors.NoProgress.code,
    errors.GaveUpWaiting.code,
    errors.StillRefused.code,
    errors.ColumnsGone.code,
    errors.FilterGone.code,
)

REQUESTED = Metric(name="requested_total", kind=_COUNTER, meaning="Exports that were asked for, through the API.")
ACCEPTED = Metric(name="accepted_total", kind=_COUNTER, meaning="Requests that began an export.")
COALESCED = Metric(
    name="coalesced_total", kind=_COUNTER, meaning="Requests that were answered with an export that was there already."
)
REFUSED = Metric(
    name="refused_total",
    kind=_COUNTER,
    meaning="Requests that were refused, by the code of the answer.",
    label="reason",
    values=_REFUSALS,
)
FINISHED = Metric(
    name="finished_total",
    kind=_COUNTER,
    meaning="Exports that came to their end, by which one.",
    label="outcome",
    values=(ExportStatus.COMPLETED.value, ExportStatus.FAILED.value, ExportStatus.CANCELLED.value),
    alarm="ExportsFail",
)
FAILED = Metric(
    name="failures_total",
    kind=_COUNTER,
    meaning="Exports that failed, by the code of the failure.",
    label="cause",
    values=FAILURES,
    alarm="ForeignRows",
)
EXPORT_SECONDS = Metric(
    name="export_seconds",
    kind=_HISTOGRAM,
    unit="seconds",
    meaning="From the request to the accepted mail, of exports that completed.",
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400),
    alarm="ExportsAreSlow",
)
STAGE_SECONDS = Metric(
    name="stage_seconds",
    kind=_HISTOGRAM,
    unit="seconds",
    meaning="How long one run of a stage took, of those that ended well.",
    label="stage",
    values=tuple(stage.value for stage in Stage),
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900),
)
ROWS = Metric(name="rows_total", kind=_COUNTER, unit="rows", meaning="Rows of the files that were made.")
BYTES = Metric(name="bytes_total", kind=_COUNTER, unit="bytes", meaning="Bytes of the files that were made.")
RETRIES = Metric(
    name="retries_total",
    kind=_COUNTER,
    meaning="Times that an export had to wait for its next try, by the code of the trouble.",
    label="cause",
    values=TROUBLES,
    alarm="AccessRefused",
)
SENDS = Metric(
    name="sends_total",
    kind=_COUNTER,
    meaning="Mails with a file or a link that were handed over, by what the answer proved.",
    label="evidence",
    values=tuple(evidence.value for evidence in Evidence),
    alarm="MailsUnclear",
)
DELIVERIES = Metric(
    name="deliveries_total",
    kind=_COUNTER,
    meaning="What the mail service told later of those mails.",
    label="delivery",
    values=tuple(delivery.value for delivery in Delivery),
    alarm="MailsBounce",
)
LETTERS = Metric(name="letters_total", kind=_COUNTER, meaning="Dead letters that were written for exports that failed.")
SWEEPS = Metric(name="sweeps_total", kind=_COUNTER, meaning="Passes of the sweeper.", alarm="SweeperSilent")
VISITS = Metric(
    name="sweeper_visits_total",
    kind=_COUNTER,
    meaning="Exports that the sweeper looked at, by what it did.",
    label="action",
    values=tuple(action.value for action in SweepAction),
)
INTERNAL_ERRORS = Metric(
    name="internal_errors_total",
    kind=_COUNTER,
    meaning="Errors that nobody foresaw and that were caught; the log has each.",
    alarm="InternalErrors",
)
RESTARTS = Metric(
    name="process_restarts_total",
    kind=_COUNTER,
    meaning="Processes of the service that were started in place of one that had died; the log says of what.",
    alarm="ProcessesDie",
)
OLDEST_UNFINISHED = Metric(
    name="oldest_unfinished_seconds",
    kind=_GAUGE,
    unit="seconds",
    meaning="Age of the oldest export that is not finished, 0 without one. On AWS, as the sweeper saw it.",
    alarm="OldestUnfinished",
)
UNFINISHED = Metric(
    name="unfinished_exports",
    kind=_GAUGE,
    meaning="Exports that are not finished, by status.",
    label="status",
    values=(ExportStatus.QUEUED.value, ExportStatus.RUNNING.value, ExportStatus.WAITING.value),
)
WAITING = Metric(
    name="waiting_exports",
    kind=_GAUGE,
    meaning="Exports that wait for their next try, by the code of the trouble.",
    label="cause",
    values=TROUBLES,
)
QUEUED = Metric(name="queue_messages", kind=_GAUGE, meaning="Messages that could be taken from the queue now.")
QUEUE_AGE = Metric(
    name="queue_age_seconds",
    kind=_GAUGE,
    unit="seconds",
    meaning="How long the first of them could have been taken already, 0 without one.",
    alarm="NobodyWorks",
)
DEAD_LETTERS = Metric(
    name="dead_letters",
    kind=_GAUGE,
    meaning="Letters in the dead letter queue: they wait for a person.",
    alarm="DeadLetters",
)
PAUSED = Metric(
    name="paused",
    kind=_GAUGE,
    meaning="1 while an operator has paused the service. On AWS, as the sweeper saw it.",
    alarm="Paused",
)
STORE_UP = Metric(
    name="store_up",
    kind=_GAUGE,
    meaning="1 when the numbers of the store were read in the last 30 seconds; 0: the gauges are old.",
    alarm="StoreAway",
)

CATALOGUE = (
    REQUESTED,
    ACCEPTED,
    COALESCED,
    REFUSED,
    FINISHED,
    FAILED,
    EXPORT_SECONDS,
    STAGE_SECONDS,
    ROWS,
    BYTES,
    RETRIES,
    SENDS,
    DELIVERIES,
    LETTERS,
    SWEEPS,
    VISITS,
    INTERNAL_ERRORS,
    RESTARTS,
    OLDEST_UNFINISHED,
    UNFINISHED,
    WAITING,
    QUEUED,
    QUEUE_AGE,
    DEAD_LETTERS,
    PAUSED,
    STORE_UP,
)


class NoMetrics:
    """Metrics that nobody wants to see."""

    def count(self, metric: Metric, label: str = "", by: float = 1) -> None:
        """Leave it."""

    def observe(self, metric: Metric, value: float, label: str = "") -> None:
        """Leave it."""

    def set(self, metric: Metric, value: float, label: str = "") -> None:
        """Leave it."""
