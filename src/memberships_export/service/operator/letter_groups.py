"""Dead letters in groups, so that many of one kind are one line."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from memberships_export.domain.messages.letters import DeadLetter

_UNTOLD = ("receive", "received_too_often")  # the queue itself put it there, and cannot say why


@dataclass(frozen=True, slots=True)
class Group:
    """Letters of one stage and error code: how many, and when the oldest message was sent."""

    stage: str
    code: str
    letters: int
    oldest: datetime


def grouped(letters: Iterable[DeadLetter]) -> Sequence[Group]:
    """Group letters by stage and error code, the largest group first."""
    times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for letter in letters:
        why = letter.message.attributes
        times[why.get("stage") or _UNTOLD[0], why.get("errorCode") or _UNTOLD[1]].append(letter.sent_at)
    groups = [Group(stage, code, len(sent), min(sent)) for (stage, code), sent in times.items()]
    return sorted(groups, key=lambda group: (-group.letters, group.stage, group.code))
