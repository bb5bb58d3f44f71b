"""All use cases, wired over whatever stands behind the ports."""

from dataclasses import dataclass

from memberships_export.domain.export.policy import Policy
from memberships_export.ports import Ports
from memberships_export.service.auditing import audit_of
from memberships_export.service.choose_options import ChooseOptions
from memberships_export.service.clear_erased import clear_erased
from memberships_export.service.links import DownloadLinks
from memberships_export.service.mail_events.record_mail_events import RecordMailEvents
from memberships_export.service.metrics import NoMetrics
from memberships_export.service.operator.erase import EraseUser
from memberships_export.service.operator.read_audit import ReadAudit
from memberships_export.service.operator.redrive import RedriveExports
from memberships_export.service.operator.what_waits import WhatWaits
from memberships_export.service.user.erase import EraseOwnExport
from memberships_export.service.user.offer import OfferOptions
from memberships_export.service.user.read import ReadExports
from memberships_export.service.user.record_then_message import RecordThenMessage
from memberships_export.service.user.request import RequestExport
from memberships_export.service.user.steer import CancelExport, ResendExport
from memberships_export.service.worker.assembly import assemble_workers
from memberships_export.service.worker.run import RunExport
from memberships_export.service.worker.sweep import SweepExports


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, one per thing the product does."""

    request: RequestExport
    offer: OfferOptions
    read: ReadExports
    cancel: CancelExport
    resend: ResendExport
    erase_own: EraseOwnExport
    record_mail_events: RecordMailEvents
    run: RunExport
    sweep: SweepExports
    redrive: RedriveExports
    erase_user: EraseUser
    what_waits: WhatWaits
    read_audit: ReadAudit


def assemble(ports: Ports, policy: Policy, links: DownloadLinks) -> Services:
    """Wire the use cases over the ports."""
    clock, store, queue = ports.clock, ports.store, ports.queue
    metrics, audit = ports.metrics or NoMetrics(), audit_of(ports)
    read = ReadExports(store=store, files=ports.files, links=links, clock=clock, audit=audit)
    choose = ChooseOptions(readers=ports.readers, zone_names=ports.zone_names, usual=policy.likes)
    audit = audit_of(ports)
    workers = assemble_workers(ports, policy, links)
    return Services(
        request=RequestExport(
            choose=choose,
            store=store,
            erasures=ports.erasures,
            intake=ports.intake or RecordThenMessage(store, queue),
            clock=clock,
            policy=policy,
            metrics=metrics,
        ),
        offer=OfferOptions(choose=choose, readers=ports.readers, translations=ports.translations),
        read=read,
        cancel=CancelExport(read=read, store=store, clock=clock, policy=policy, audit=audit, metrics=metrics),
        resend=ResendExport(read=read, store=store, queue=queue, clock=clock, policy=policy, audit=audit),
        erase_own=EraseOwnExport(
            store=store,
            erasures=ports.erasures,
            clear=clear_erased(ports, policy),
            audit=audit,
            clock=clock,
        ),
        record_mail_events=RecordMailEvents(store=store, clock=clock, policy=policy, audit=audit, metrics=metrics),
        run=workers.run,
        sweep=workers.sweep,
        redrive=RedriveExports(
            store=store,
            erasures=ports.erasures,
            queue=queue,
            dead_letters=ports.dead_letters,
            clock=clock,
            policy=policy,
            audit=audit,
        ),
        erase_user=EraseUser(
            store=store,
            erasures=ports.erasures,
            dead_letters=ports.dead_letters,
            clear=clear_erased(ports, policy),
            audit=audit,
            clock=clock,
        ),
        what_waits=WhatWaits(store=store, clock=clock, policy=policy),
        read_audit=ReadAudit(log=ports.audit, audit=audit),
    )
