"""What wakes somebody on one machine: wired only where a command or a URL is set."""

import shlex
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta

from memberships_export.adapters.embedded.alert_notes import SqliteAlertNotes
from memberships_export.adapters.embedded.database import Database
from memberships_export.adapters.embedded.machine import living
from memberships_export.ports import Ports
from memberships_export.service.operator.alerts import Alarm, RaiseAlerts
from memberships_export.service.operator.noticed import Noticed
from memberships_export.service.operator.troubles import FindTrouble
from memberships_export.settings import Settings, variable


def raise_alerts(
    settings: Settings,
    ports: Ports,
    check: Callable[[], None],
    noticed: Callable[[], Sequence[Noticed]],
    should_stop: Callable[[], bool],
) -> RaiseAlerts:
    """Wire one look around. Raises ValueError for what cannot be run or called."""
    alarms = _alarms(settings, should_stop)
    notes = SqliteAlertNotes(Database(settings.data_dir / "exports.db"))
    find = FindTrouble(
        store=ports.store,
        state=ports.state,
        dead_letters=ports.dead_letters,
        notes=notes,
        check=check,
        alive=lambda: bool(living(settings.data_dir / "processes")),
        noticed=noticed,
        clock=ports.clock,
        after=timedelta(minutes=settings.alert_minutes),
        give_up_after=settings.policy.give_up_after,
    )
    return RaiseAlerts(find=find, notes=notes, alarms=alarms, clock=ports.clock)


def _alarms(settings: Settings, should_stop: Callable[[], bool]) -> list[Alarm]:
    """Load what is needed for those that are set, and no more."""
    alarms: list[Alarm] = []
    if settings.alert_command:
        from memberships_export.adapters.alerts.command import CommandAlarm  # noqa: PLC0415

        words = shlex.split(settings.alert_command)
        if not shutil.which(words[0]):
            raise ValueError(f"{variable('alert_command')}: there is no program {words[0]} that this user may run.")
        alarms.append(CommandAlarm(words, should_stop=should_stop))
    if settings.alert_url:
        from memberships_export.adapters.alerts.webhook import WebhookAlarm  # noqa: PLC0415

        alarms.append(WebhookAlarm(variable("alert_url"), settings.alert_url))
    return alarms
