"""What was measured, before anything is said about it. Times are seconds, sizes bytes unless a name says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.rival_results import AcceptingRuns, BacklogRuns, WholeRuns


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it was measured."""

    cpu: str
    cpus: int
    memory_gb: float
    system: str
    python: str
    sqlite: str
    filesystem: str


@dataclass(frozen=True, slots=True)
class Load:
    """The load average of the last minute, as a measurement began and as it ended."""

    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRun:
    """One export by a worker process of its own. `seconds`: from its claim to the accepted mail."""

    rows: int
    seconds: float
    stages: Mapping[str, float]
    peak_bytes: int
    pages: int
    csv_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRuns:
    """Exports of one size, and plain dumps of the same rows in turn with them."""

    rows: int
    exports: tuple[ExportRun, ...]
    dump_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRuns:
    """Seconds from before the request until the mail is in the outbox, one export after the other."""

    rows: int
    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartupRuns:
    """Wall time of whole processes, by command."""

    seconds: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRuns:
    """Pages of `rows` rows, each read and checked, then read again and written. Seconds of the processor, in turn."""

    rows: int
    fixed: tuple[float, ...]  # our own contract by a fixed row, as before there were profiles
    by_profile: tuple[float, ...]  # the same pages by the profile that comes with the service
    nested: tuple[float, ...]  # rows of another API, with cents and seconds since 1970
    nested_row_bytes: int
    keys: int  # texts, all distinct
    keys_bytes: int  # the most memory for them at once
    keys_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRun:
    """One file by a process of its own. `seconds`: of the processor, for its writer; making the rows is not in it."""

    rows: int
    seconds: float
    file_bytes: int
    peak_bytes: int

    @property
    def seconds_of_a_million(self) -> float:
        """How long a million rows would take at the same speed."""
        return self.seconds * 1_000_000 / self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatRuns:
    """The same rows written in each kind of file, in turn. The lowest time of a kind counts."""

    large: Mapping[str, tuple[FileRun, ...]]
    small: Mapping[str, FileRun]  # to see what memory grows with


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRuns:
    """The functions. Cold starts, of ExportMemberships: from the start of a process to its first answer."""

    bundle_bytes: Mapping[str, int]  # zipped, by processor
    cold_baseline: tuple[float, ...]  # a handler that makes two clients of boto3, and nothing else
    cold_message: tuple[float, ...]  # a message whose export is finished
    cold_export: tuple[float, ...]  # a message whose export is then mailed
    calls: tuple[str, ...]  # to AWS, for one small export, in order
    rows: int  # of the large export
    seconds: float
    peak_bytes: int
    visit_seconds: float  # of the processor, for one visit of SweepExports that deletes files


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeRuns:
    """Answers of `/metrics` by HTTP, and readings of the gauges, which are made beside them. Seconds."""

    records: int  # all of them wait
    processes: int  # that counted
    answers: tuple[float, ...]
    readings: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRuns:
    """Lists of exports as operators ask for them, by what they ask for. Seconds."""

    exports: int  # of all users
    seconds: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsRuns:
    """Small exports by a worker of one thread, with what the timeline does and without. Processor seconds of one."""

    rows: int
    exports: int  # that one number is the mean of
    with_timeline: tuple[float, ...]
    without: tuple[float, ...]  # each measured next to its twin


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of all measurements."""

    date: str
    revision: str
    command: str
    machine: Machine
    sizes: tuple[SizeRuns, ...]
    loads: Mapping[str, Load]  # by measurement: the names of the fields here
    whole: WholeRuns
    latency: LatencyRuns
    backlog: BacklogRuns
    accepting: AcceptingRuns
    startup: StartupRuns
    reading: ReadingRuns
    formats: FormatRuns
    functions: FunctionRuns
    scrapes: ScrapeRuns
    desk: DeskRuns
    parts: PartsRuns
