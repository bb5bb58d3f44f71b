"""All use cases, wired over whatever stands behind the ports."""

from dataclasses import dataclass

from memberships_export.domain.policy import Policy
from memberships_export.ports import Ports
from memberships_export.service.download_links import DownloadLinks
from memberships_export.service.read_exports import ReadExports
from memberships_export.service.record_mail_events import RecordMailEvents
from memberships_export.service.redrive_exports import RedriveExports
from memberships_export.service.request_export import RequestExport
from memberships_export.service.run_export import RunExport
from memberships_export.service.steer_exports import CancelExport, ResendExport
from memberships_export.service.sweep_exports import SweepExports
from memberships_export.service.worker_assembly import assemble_workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, one per thing the product does."""

    request: RequestExport
    read: ReadExports
    cancel: CancelExport
    resend: ResendExport
    record_mail_events: RecordMailEvents
    run: RunExport
    sweep: SweepExports
    redrive: RedriveExports


def assemble(ports: Ports, policy: Policy, links: DownloadLinks) -> Services:
    """Wire the use cases over the ports."""
    clock, store, queue = ports.clock, ports.store, ports.queue
    read = ReadExports(store=store, files=ports.files, links=links, clock=clock)
    workers = assemble_workers(ports, policy, links)
    return Services(
        request=RequestExport(store=store, queue=queue, clock=clock, policy=policy),
        read=read,
        cancel=CancelExport(read=read, store=store, clock=clock, policy=policy),
        resend=ResendExport(read=read, store=store, queue=queue, clock=clock, policy=policy),
        record_mail_events=RecordMailEvents(store=store, clock=clock, policy=policy),
        run=workers.run,
        sweep=workers.sweep,
        redrive=RedriveExports(store=store, queue=queue, dead_letters=ports.dead_letters, clock=clock, policy=policy),
    )
