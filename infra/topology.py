"""Topologies as data: which functions there are, which stages each takes, and the queue that wakes it."""

from dataclasses import dataclass

STAGES = ("fetch", "render", "deliver")


@dataclass(frozen=True, slots=True)
class Worker:
    """One function. `queue` is the queue that wakes it; its dead letter queue has the same name plus `_dlq`."""

    name: str
    queue: str
    stages: tuple[str, ...]


TOPOLOGIES = {
    "one": (Worker("ExportMemberships", "membership_exports", STAGES),),
    "split": (
        Worker("FetchMemberships", "membership_exports", ("fetch",)),
        Worker("RenderCsv", "membership_exports_render", ("render",)),
        Worker("SendExport", "membership_exports_deliver", ("deliver",)),
    ),
}
