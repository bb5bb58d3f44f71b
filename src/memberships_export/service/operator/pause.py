"""An operator pauses the service, and resumes it: it accepts meanwhile, and does not work."""

import logging
from dataclasses import dataclass

from memberships_export.domain.audit import Action, Origin
from memberships_export.domain.pause import Pause
from memberships_export.ports import Clock, ServiceState
from memberships_export.service.auditing import Audit

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseService:
    """Every process obeys within seconds: workers stop at the next good place, and mail nothing."""

    state: ServiceState
    audit: Audit
    clock: Clock

    def pause(self, origin: Origin, reason: str, *, drain: bool) -> Pause:
        """Pause, and return the pause that is in force. `drain`: what runs may come to its end."""
        with self.audit.noting(origin, Action.SERVICE_PAUSED):
            pause = self.state.pause(Pause(since=self.clock(), by=origin.who, reason=reason, drain=drain))
        log.info("event=paused drain=%s", pause.drain)
        return pause

    def resume(self, origin: Origin) -> Pause | None:
        """Let it work again; return the pause that has ended, None when there was none."""
        with self.audit.noting(origin, Action.SERVICE_RESUMED):
            ended = self.state.resume()
        if ended:
            log.info("event=resumed")
        return ended
