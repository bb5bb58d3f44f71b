"""What a process noticed of itself that no record tells: bugs, and others that refuse us."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """One kind of event: how often since the process started, first and last when. `by`: who refuses us, if anybody."""

    what: str
    by: str
    count: int
    since: datetime
    last: datetime

    @property
    def kind(self) -> str:
        """Return what tells it from others: refused:mail_service."""
        return f"{self.what}:{self.by}" if self.by else self.what
