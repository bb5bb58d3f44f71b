"""Numbers as Prometheus reads them. Only the process that answers /metrics imports what writes this form."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from memberships_export.adapters.embedded.counts import Layout
from memberships_export.domain.metric import Kind, Level, Metric
from memberships_export.service.metrics import CATALOGUE

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

PREFIX = "memberships_export_"


def exposition(layout: Layout, numbers: Sequence[float], levels: Sequence[Level], accepts: str) -> tuple[bytes, str]:
    """Return the text and its content type, in the form that fits the header Accept."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415  (costs 40 ms and 5 MB)
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families([_family(metric, layout, numbers, levels) for metric in CATALOGUE]))
    encode, content_type = choose_encoder(accepts)
    text: bytes = encode(registry)
    return text, content_type


class _Families:
    """What a registry asks."""

    def __init__(self, families: Iterable["Family"]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable["Family"]:
        return self._families


def _family(metric: Metric, layout: Layout, numbers: Sequence[float], levels: Sequence[Level]) -> "Family":
    from prometheus_client.core import Metric as Family  # noqa: PLC0415

    name = f"{PREFIX}{metric.name.removesuffix('_total') if metric.kind is Kind.COUNTER else metric.name}"
    family = Family(name, metric.meaning, metric.kind.value)
    if metric.kind is Kind.GAUGE:
        for level in levels:
            if level.metric is metric:
                family.add_sample(name, _labels(metric, level.label), level.value)
        return family
    for label in metric.shown:
        found, labels = layout.of(metric, numbers, label), _labels(metric, label)
        if metric.kind is Kind.COUNTER:
            family.add_sample(f"{name}_total", labels, found[0])
        else:
            _add_histogram(family, metric, found, labels)
    return family


def _add_histogram(family: "Family", metric: Metric, found: Sequence[float], labels: dict[str, str]) -> None:
    below = list(accumulate(found[:-1]))
    bounds = [*(str(float(bound)) for bound in metric.buckets), "+Inf"]
    for bound, exports in zip(bounds, below, strict=True):
        family.add_sample(f"{family.name}_bucket", {**labels, "le": bound}, exports)
    family.add_sample(f"{family.name}_count", labels, below[-1])
    family.add_sample(f"{family.name}_sum", labels, found[-1])


def _labels(metric: Metric, value: str) -> dict[str, str]:
    return {metric.label: value} if metric.label else {}
