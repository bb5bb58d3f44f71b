"""A pause of the whole service."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The service accepts, and does not work: since when, who said so, and why. `drain`: what runs may come to its end.

    `by` is an operator: a user of the machine, or a caller of AWS.
    """

    since: datetime
    by: str
    reason: str = ""
    drain: bool = False
