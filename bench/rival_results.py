"""What is measured beside rivals: frozen values, made by the measurements, read by the report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

OURS = "ours"
OURS_ARRAYS = "ours, rows as arrays"
COPY = "`COPY` to a file"
PSQL = "`COPY` to a file, by `psql`"
CURSOR = "server cursor, `csv.writer`"
JOB = "body of a queue job"
OURS_SPREAD = "ours, two processes"


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeRun:
    """One file of all rows of a user. `peak_bytes`: of the process that makes the file."""

    seconds: float
    processor_seconds: float  # of all processes: whoever makes the file, the API where it is asked, the database
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeSize:
    """The same rows by everybody, in turns."""

    rows: int
    runs: Mapping[str, tuple[WholeRun, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeRuns:
    """Whole exports with PostgreSQL behind the API. `longest`: by us alone, to see what grows with the rows."""

    sizes: tuple[WholeSize, ...]
    longest: WholeSize | None = None
    missing: Mapping[str, str] = field(default_factory=dict)  # who did not run, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogRun:
    """A backlog worked off. `seconds`: from the begin of the first export to the last mail."""

    seconds: float
    processor_seconds: float  # of all processes but the one that measures; the start of the workers is in it


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogRuns:
    """The same small exports by everybody, in turns."""

    exports: int
    rows: int  # of each
    runs: Mapping[str, tuple[BacklogRun, ...]]
    missing: Mapping[str, str] = field(default_factory=dict)  # who did not run, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn of requests took. `p50` and `p99`: seconds from sending a request to having its whole answer."""

    requests: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptingRuns:
    """The turns of both, in order. `processor`: seconds of processor time that one accepted request took, each turn."""

    accepting: tuple[Turn, ...]
    empty: tuple[Turn, ...]
    processor: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Ours by the empty route: the median of the turns."""
        return median(ours.rate / empty.rate for ours, empty in zip(self.accepting, self.empty, strict=True))

    @property
    def p99(self) -> float:
        """Seconds: the median of the turns."""
        return median(turn.p99 for turn in self.accepting)
