"""Metrics that a test can look at."""

from collections import Counter, defaultdict

from memberships_export.domain.metric import Metric

Key = tuple[str, str]


class Numbers:
    """Keeps what was counted, by the metric's name and the value of its label."""

    def __init__(self) -> None:
        self.counted: Counter[Key] = Counter()
        self.observed: dict[Key, list[float]] = defaultdict(list)
        self.levels: dict[Key, float] = {}

    def count(self, metric: Metric, label: str = "", by: float = 1) -> None:
        self.counted[metric.name, str(label)] += int(by)

    def observe(self, metric: Metric, value: float, label: str = "") -> None:
        self.observed[metric.name, str(label)].append(value)

    def set(self, metric: Metric, value: float, label: str = "") -> None:
        self.levels[metric.name, str(label)] = value
