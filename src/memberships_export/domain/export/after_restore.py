"""What a restored record cannot know: whether its file was mailed after the backup was made."""

from dataclasses import replace
from datetime import datetime

from memberships_export.domain.export.record import Evidence, Export, Send


def maybe_mailed(export: Export, now: datetime) -> Export:
    """Put a silent send on an unfinished record: it may have been mailed, and nobody here can tell.

    From there on the rule for such sends decides: wait for the mail service to tell, then mail once more, marked as a
    possible duplicate, or not at all. A record that has such a send needs no second one.
    """
    sends = export.current_sends
    if not export.unfinished or any(send.evidence is not Evidence.REFUSED for send in sends):
        return export
    number = max((send.number for send in export.sends), default=0) + 1
    forgotten = Send(number=number, mailing=export.mailing, started_at=now, evidence=Evidence.SILENT)
    return replace(export, sends=(*export.sends, forgotten))
