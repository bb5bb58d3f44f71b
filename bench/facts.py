"""What an export asks of AWS, counted, and what a month of exports is like, assumed: the facts under the tables."""

from dataclasses import dataclass
from math import ceil, sqrt

from memberships_export.adapters.aws.dynamodb_item import WAKE_PARTITIONS

HOURS = 730  # of a month, as AWS counts
MINUTES, SECONDS = HOURS * 60, HOURS * 3600
SWEEP_BATCH, SWEEP_QUERIES = 200, len(WAKE_PARTITIONS)  # records that the sweeper reads at once, and its queries
VISITS = 2  # of the sweeper at each export: one takes the files, the other the record


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an AWS API. Reads and writes are DynamoDB's request units: of the table, and of its two indexes.

    A write unit is 1 KB of the larger of the item before and after, two in a transaction. An index takes one to add or
    remove an entry, two to move it.
    """

    who: str
    name: str
    does: str
    reads: float = 0
    writes: int = 0
    by_user: int = 0
    by_wake: int = 0
    by_address: int = 0


_API, _QUEUE, _RUN = "API", "event source mapping", "ExportMemberships"
# Each query of a full batch reads 200 keys of about 80 bytes: 2 units.
_QUERIES = f"share of {SWEEP_QUERIES} for up to {SWEEP_BATCH} records"
_SHARE = SWEEP_QUERIES * 2 / SWEEP_BATCH
# One export of 10 rows, in order. The record is below 1 KB until the send intent is on it.
CALLS: tuple[Call, ...] = (
    Call(_API, "GetItem", "the user's turns, consistent", reads=1),
    Call(_API, "TransactWriteItems", "record, guard and turns", writes=6, by_user=1, by_wake=1, by_address=1),
    Call(_API, "SendMessage", "wakes a worker"),
    Call(_QUEUE, "ReceiveMessage", "starts the function"),
    Call(_RUN, "GetItem", "the record, consistent", reads=1),
    Call(_RUN, "PutItem", "claim", writes=1, by_wake=2),
    Call(_RUN, "S3 PUT", "the CSV"),
    Call(_RUN, "PutItem", "fetched, rendered, and the send intent", writes=2, by_wake=2),
    Call(_RUN, "TransactWriteItems", "completed; guard deleted; mail", writes=8, by_wake=2),
    Call(_QUEUE, "DeleteMessage", "the message has done its work"),
)
_HOOK, _WEEK, _EXPIRY = "API, webhook", "sweeper, after 7 days", "sweeper, after 30 days"
AFTER: tuple[Call, ...] = (
    Call(_HOOK, "GetItem", "the record", reads=1),
    Call(_HOOK, "PutItem", "the mail was delivered", writes=2),
    Call(_WEEK, "Query", _QUERIES, reads=_SHARE),
    Call(_WEEK, "BatchGetItem", "share of one for up to 100 records", reads=1),
    Call(_WEEK, "PutItem", "files are going", writes=2, by_wake=2),
    Call(_WEEK, "S3 List", "the pages"),
    Call(_WEEK, "S3 List", "the CSV"),
    Call(_WEEK, "S3 DeleteObjects", "the CSV"),
    Call(_WEEK, "PutItem", "files are gone", writes=2, by_wake=2),
    Call(_EXPIRY, "Query", _QUERIES, reads=_SHARE),
    Call(_EXPIRY, "BatchGetItem", "share of one for up to 100 records", reads=1),
    Call(_EXPIRY, "DeleteItem", "the record", writes=2, by_user=1, by_wake=1, by_address=1),
)

# Bytes of one export of 10 rows. Measured: record, entries of the indexes, and CSV.
RECORD_BYTES, INDEX_BYTES, FILE_BYTES = 1_574, 617, 1_456  # DynamoDB adds 100 to each entry of an index
PEAK, RUN_SECONDS = 10.0, 1.0  # assumed; the second is what is billed for the function in one export
# Assumed: log lines of all programs; mail, page and TLS handshakes through the NAT; the part of it that leaves AWS.
LOG_BYTES, NAT_BYTES, OUT_BYTES = 3_500, 25_000, 10_000
NUMBER_BYTES = 2_400  # measured: lines of one export from which CloudWatch makes metrics, in the same log
CONNECTIONS = 3  # at the load balancer, assumed: the request, the page, the webhook
MEMORY_GB = 0.5  # infra/functions.py
# Of the sweeper, assumed: each pass, and each visit on average. The two visits are six calls, one after the other.
PASS_SECONDS, VISIT_SECONDS = 0.5, 0.1
VISIT_PROCESSOR = 0.004  # seconds of a whole one; measured (docs/benchmarks.md) and rounded up
# "At 1,769 MB, a function has the equivalent of one vCPU", and less in proportion:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
PROCESSOR = MEMORY_GB * 1024 / 1769

POLLERS, POLL_SECONDS = 5, 20  # with MaximumConcurrency Lambda never uses fewer
TASKS, ZONES = 2, 2
SECRETS = 4
SECRETS_READ, SECRET_SECONDS = 2, 60  # for a file that is attached; kept by a warm function
KEY_SECONDS = 300  # SQS and DynamoDB ask KMS again after that; assumed for S3 bucket keys
# Own: by filters, and written by the service. Of Container Insights: from memory, unchecked.
ALARM_METRICS, OWN_METRICS, INSIGHT_METRICS = 16, 5 + 28, 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """So many exports of 10 rows a month. In the busiest minutes come `peak` times as many as on average."""

    exports: int
    peak: float = PEAK
    run_seconds: float = RUN_SECONDS

    @property
    def average(self) -> float:
        """Exports a second."""
        return self.exports / SECONDS

    @property
    def busiest(self) -> float:
        """Exports a second in the busiest minutes."""
        return self.average * self.peak

    @property
    def warm(self) -> int:
        """Functions kept warm: those busy on average, and three standard deviations of a Poisson process."""
        busy = self.average * self.run_seconds
        return ceil(busy + 3 * sqrt(busy))

    @property
    def secret_reads(self) -> float:
        """Reads a month, at most: each export, or each warm function every minute."""
        return SECRETS_READ * min(self.exports, self.warm * SECONDS / SECRET_SECONDS)
