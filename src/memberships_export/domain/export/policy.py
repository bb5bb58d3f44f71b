"""What an export's life depends on, nearly all of it numbers, in one frozen object."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from memberships_export.domain.formats.options import Likes


class AfterUnknownSend(StrEnum):
    """What to do when nobody can tell whether a mail was accepted, once the wait for evidence is over."""

    RESEND = "resend"  # send once more, marked as a possible duplicate
    HOLD = "hold"  # fail with delivery_unknown: a person decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long, how often and how much. `bootstrap` fills it from the settings."""

    lease: timedelta = timedelta(seconds=90)
    send_time_limit: timedelta = timedelta(seconds=60)
    evidence_wait: timedelta = timedelta(minutes=15)
    after_unknown_send: AfterUnknownSend = AfterUnknownSend.RESEND
    max_unclear_sends: int = 2  # of one mailing
    give_up_after: timedelta = timedelta(hours=24)
    refused_for: timedelta = timedelta(minutes=60)
    first_back_off: timedelta = timedelta(seconds=5)
    longest_back_off: timedelta = timedelta(minutes=15)
    nudge_after: timedelta = timedelta(seconds=10)
    keep_files: timedelta = timedelta(days=7)
    keep_records: timedelta = timedelta(days=30)
    keep_audit: timedelta = timedelta(days=365)
    max_stalled_claims: int = 5
    max_receives: int = 5
    max_exports_per_hour: int = 10
    page_size: int = 5_000
    max_pages: int = 10_000
    max_bytes: int = 2_000_000_000
    max_time: timedelta = timedelta(hours=72)
    attachment_limit: int = 5_000_000
    likes: Likes = Likes(languages=("en",), time_zones=("UTC",))  # where nothing is said, and nothing known of the user
