"""The use cases of workers, wired over whatever stands behind the ports. A Lambda function loads no others."""

import random
from dataclasses import dataclass

from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.record import Stage
from memberships_export.ports import Ports
from memberships_export.service.choose_options import ChooseOptions
from memberships_export.service.clear_erased import clear_erased
from memberships_export.service.find_user import FindUser
from memberships_export.service.links import DownloadLinks
from memberships_export.service.metrics import NoMetrics
from memberships_export.service.worker.canary import Canary
from memberships_export.service.worker.deliver import DeliverMail
from memberships_export.service.worker.fetch import FetchPages
from memberships_export.service.worker.find import FindExport
from memberships_export.service.worker.finish_erasures import FinishErasures
from memberships_export.service.worker.profiles import Profiles
from memberships_export.service.worker.recover import RecoverExports
from memberships_export.service.worker.render import RenderFile
from memberships_export.service.worker.run import RunExport, StageStep
from memberships_export.service.worker.settle import SettleFailure
from memberships_export.service.worker.sweep import SweepExports, VisitAll


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """The use cases that nobody asks for: they are woken by messages and by the clock."""

    run: RunExport
    sweep: SweepExports


def assemble_workers(
    ports: Ports,
    policy: Policy,
    links: DownloadLinks,
    stages: frozenset[Stage] = frozenset(Stage),
    visit_all: VisitAll = map,
) -> Workers:
    """Wire the use cases over the ports. `stages`: the steps that workers of this process take.

    `visit_all`: how the sweeper visits exports; here, one after the other.
    """
    clock, store, queue, files = ports.clock, ports.store, ports.queue, ports.files
    metrics = ports.metrics or NoMetrics()
    settle = SettleFailure(
        store=store,
        dead_letters=ports.dead_letters,
        queue=queue,
        mailer=ports.mailer,
        mail_writer=ports.mail_writer,
        clock=clock,
        policy=policy,
        metrics=metrics,
    )
    steps = _steps(ports, policy, links, stages)
    choose = ChooseOptions(readers=ports.readers, zone_names=ports.zone_names, usual=policy.likes)
    erasures = ports.erasures
    find = FindExport(
        choose=choose, store=store, erasures=erasures, dead_letters=ports.dead_letters, clock=clock, policy=policy
    )
    run = RunExport(
        find=find,
        store=store,
        state=ports.state,
        erasures=erasures,
        queue=queue,
        stages={stage: step for stage, step in steps.items() if stage in stages},
        settle=settle,
        clock=clock,
        policy=policy,
        jitter=random.random,
        machine=ports.machine,
        metrics=metrics,
    )
    sweep = SweepExports(
        store=store,
        state=ports.state,
        queue=queue,
        files=files,
        settle=settle,
        clock=clock,
        policy=policy,
        finish_erasures=FinishErasures(erasures=erasures, clear=clear_erased(ports, policy), clock=clock),
        visit_all=visit_all,
        audit=ports.audit,
        metrics=metrics,
        recover=RecoverExports(machine=ports.machine, store=store, clock=clock, metrics=metrics)
        if ports.machine
        else None,
    )
    return Workers(run=run, sweep=sweep)


def _steps(ports: Ports, policy: Policy, links: DownloadLinks, stages: frozenset[Stage]) -> dict[Stage, StageStep]:
    """Return the steps for which this process has what they need."""
    profiles = Profiles(ports.readers, ports.files)
    steps: dict[Stage, StageStep] = {
        Stage.RENDER: RenderFile(
            files=ports.files,
            profiles=profiles,
            translations=ports.translations,
            takes_over=Stage.FETCH in stages,
        )
    }
    if ports.source:
        steps[Stage.FETCH] = FetchPages(
            source=ports.source,
            files=ports.files,
            profiles=profiles,
            canary=Canary(ports.source, ports.clock),
            find_user=FindUser(ports.source),
            page_size=policy.page_size,
            hands_on=Stage.RENDER in stages,
        )
    if ports.mailer:
        steps[Stage.DELIVER] = DeliverMail(
            mailer=ports.mailer,
            mail_writer=ports.mail_writer,
            files=ports.files,
            links=links,
            metrics=ports.metrics or NoMetrics(),
        )
    return steps
