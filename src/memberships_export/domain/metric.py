"""What a number about the service is: its name, what it counts, and which few words may stand beside it."""

from dataclasses import dataclass
from enum import StrEnum

OTHER = "other"  # stands for a value that is not among those of a metric


class Kind(StrEnum):
    """How values of a metric become one."""

    COUNTER = "counter"  # they add up
    HISTOGRAM = "histogram"  # each falls into a bucket
    GAUGE = "gauge"  # the latest holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One entry of the catalogue.

    It has at most one label, whose values are known: no user, no export and no text of others can be among them.
    """

    name: str  # without a prefix; a counter says so by its end, _total
    kind: Kind
    meaning: str
    unit: str = ""  # seconds, bytes, rows; empty: it is a number of things
    label: str = ""
    values: tuple[str, ...] = ()  # of the label, and OTHER where it may be another
    buckets: tuple[float, ...] = ()  # upper bounds, of a histogram
    alarm: str = ""  # the rule that rings for it

    def known(self, value: str) -> str:
        """Return the value of the label that stands for this one: itself, or OTHER."""
        return value if value in self.values or not self.label else OTHER

    @property
    def shown(self) -> tuple[str, ...]:
        """Every value that the label can have; of a metric without a label, one empty one."""
        return (*self.values, OTHER) if self.label else ("",)


@dataclass(frozen=True, slots=True)
class Level:
    """What a gauge is now, under one value of its label."""

    metric: Metric
    value: float
    label: str = ""
