"""Numbers for CloudWatch, as lines of JSON on stdout: its logs make metrics of them, and no call is made for it.

The form is CloudWatch's Embedded Metric Format:
docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
Each combination of a name and a dimension is paid for. So there is one dimension that is always the same, and a label
becomes a part of the name only when it has few values; else CloudWatch has the sum, and the line has the value.
"""

import json
import sys
from collections.abc import Callable
from time import time

from memberships_export.domain.metric import Metric

NAMESPACE = "MembershipsExport"
DIMENSION = {"Service": "memberships-export"}
_FEW = 4
_UNITS = {"seconds": "Seconds", "bytes": "Bytes"}


def metric_name(metric: Metric, label: str = "") -> str:
    """Return the name in CloudWatch: finished_total with the outcome failed is FinishedFailed."""
    words = [*metric.name.removesuffix("_total").split("_"), label if _in_name(metric) else ""]
    return "".join(word.capitalize() for word in words)


def metric_names(metric: Metric) -> list[str]:
    """Return every name that a metric can have in CloudWatch."""
    return [metric_name(metric, label) for label in metric.values] if _in_name(metric) else [metric_name(metric)]


def _in_name(metric: Metric) -> bool:
    return 0 < len(metric.values) <= _FEW


def _to_stdout(line: str) -> None:
    """Write one line at once; a function may be frozen, or ended, right after."""
    sys.stdout.write(line)
    sys.stdout.flush()


class EmbeddedMetrics:
    """Metrics, as lines of a log."""

    def __init__(self, write: Callable[[str], object] = _to_stdout, seconds: Callable[[], float] = time) -> None:
        """`seconds`: the Unix time."""
        self._write = write
        self._seconds = seconds

    def count(self, metric: Metric, label: str = "", by: float = 1) -> None:
        """Write how much a counter grew."""
        self._tell(metric, by, label)

    def observe(self, metric: Metric, value: float, label: str = "") -> None:
        """Write one value; CloudWatch knows the percentiles of all."""
        self._tell(metric, value, label)

    def set(self, metric: Metric, value: float, label: str = "") -> None:
        """Write what a gauge is now."""
        self._tell(metric, value, label)

    def _tell(self, metric: Metric, value: float, label: str) -> None:
        known = metric.known(label)
        name = metric_name(metric, known)
        unit = _UNITS.get(metric.unit, "Count")
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [list(DIMENSION)],
            "Metrics": [{"Name": name, "Unit": unit}],
        }
        line = {
            "_aws": {"Timestamp": int(self._seconds() * 1000), "CloudWatchMetrics": [directive]},
            **DIMENSION,
            name: round(value, 3),
            **({metric.label: known} if metric.label else {}),
        }
        try:
            self._write(json.dumps(line, separators=(",", ":")) + "\n")
        except (OSError, ValueError):  # nobody reads stdout any more: the export goes on
            return
