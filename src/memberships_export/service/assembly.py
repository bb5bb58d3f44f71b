"""The use cases, wired over whatever stands behind the ports."""

import random
from dataclasses import dataclass

from memberships_export.domain.export import Stage
from memberships_export.domain.policy import Policy
from memberships_export.ports import Clock, DeadLetters, ExportQueue, ExportStore, FileStore, Mailer, MembershipSource
from memberships_export.service.deliver import DeliverMail
from memberships_export.service.download_links import DownloadLinks
from memberships_export.service.fetch import FetchPages
from memberships_export.service.read_exports import ReadExports
from memberships_export.service.record_mail_events import RecordMailEvents
from memberships_export.service.redrive_exports import RedriveExports
from memberships_export.service.render import RenderCsv
from memberships_export.service.request_export import RequestExport
from memberships_export.service.run_export import RunExport, StageStep
from memberships_export.service.settle_failure import SettleFailure
from memberships_export.service.steer_exports import CancelExport, ResendExport
from memberships_export.service.sweep_exports import SweepExports


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The world, as the service sees it."""

    store: ExportStore
    queue: ExportQueue
    dead_letters: DeadLetters
    files: FileStore
    mailer: Mailer | None  # None: this process may not send mails
    source: MembershipSource | None  # None: this process may not reach the memberships API
    clock: Clock


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


def assemble(
    ports: Ports, policy: Policy, links: DownloadLinks, stages: frozenset[Stage] = frozenset(Stage)
) -> Services:
    """Wire the use cases over the ports. `stages`: the steps that workers of this process take."""
    clock, store, queue, files = ports.clock, ports.store, ports.queue, ports.files
    settle = SettleFailure(
        store=store, dead_letters=ports.dead_letters, queue=queue, mailer=ports.mailer, clock=clock, policy=policy
    )
    read = ReadExports(store=store, files=files, links=links, clock=clock)
    steps: dict[Stage, StageStep] = {Stage.RENDER: RenderCsv(files=files)}
    if ports.source:
        steps[Stage.FETCH] = FetchPages(source=ports.source, files=files, page_size=policy.page_size)
    if ports.mailer:
        steps[Stage.DELIVER] = DeliverMail(mailer=ports.mailer, files=files, links=links)
    return Services(
        request=RequestExport(store=store, queue=queue, clock=clock, policy=policy),
        read=read,
        cancel=CancelExport(read=read, store=store, clock=clock, policy=policy),
        resend=ResendExport(read=read, store=store, queue=queue, clock=clock, policy=policy),
        record_mail_events=RecordMailEvents(store=store, clock=clock, policy=policy),
        run=RunExport(
            store=store,
            queue=queue,
            dead_letters=ports.dead_letters,
            stages={stage: step for stage, step in steps.items() if stage in stages},
            settle=settle,
            clock=clock,
            policy=policy,
            jitter=random.random,
        ),
        sweep=SweepExports(store=store, queue=queue, files=files, settle=settle, clock=clock, policy=policy),
        redrive=RedriveExports(store=store, queue=queue, dead_letters=ports.dead_letters, clock=clock, policy=policy),
    )
