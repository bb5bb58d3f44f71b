"""What somebody has to be woken for, as the store tells it; and the store itself, when it does not tell."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from memberships_export.domain.errors import ForeignRows, StorageUnavailable
from memberships_export.domain.export.record import Export, ExportStatus
from memberships_export.domain.messages.letters import DeadLetter
from memberships_export.ports import Clock, DeadLetters, ExportStore, ServiceState
from memberships_export.service.operator.alerts import Alert, AlertNotes
from memberships_export.service.operator.noticed import Noticed

_LETTERS, _EXPORTS, _NAMED = 10_000, 1000, 5  # looked at; exports named in an alert
_AT_ONCE = frozenset({"memberships_refused", "internal_error"})  # only a person mends them
_TEXTS = {
    "refused": "{by} refuses us; the log says why (event=refused).",
    "unreadable_record": "The record of an export cannot be read; the log says which (event=unreadable_record).",
    "internal_error": "An error that nobody foresaw; the log has it (event=internal_error).",
}
_PROVIDER = "The identity provider cannot be asked, so that users may be turned away; the log says why ({what})."


@dataclass(frozen=True, slots=True, kw_only=True)
class FindTrouble:
    """Looks around. `check` tries a write; `after`: how long what may pass is given; `alive`: whether a worker is."""

    store: ExportStore
    state: ServiceState
    dead_letters: DeadLetters
    notes: AlertNotes
    check: Callable[[], None]
    alive: Callable[[], bool]
    noticed: Callable[[], Sequence[Noticed]]
    clock: Clock
    after: timedelta
    give_up_after: timedelta
    process: str = field(default_factory=lambda: uuid4().hex)

    def __call__(self) -> Iterator[Alert]:
        """Find all of it, the most urgent first."""
        try:
            self.check()
            found = [*self._letters(), *self._stuck()]
        except StorageUnavailable as error:
            found = [Alert(kind=error.code, text=error.reason, count=1, since=self.clock())]
        yield from found
        yield from map(self._of_process, self.noticed())

    def _letters(self) -> list[Alert]:
        letters = self.dead_letters.browse(_LETTERS)
        new = set(self.notes.unseen([letter.message_id for letter in letters]))
        groups: dict[str, list[DeadLetter]] = {}
        for letter in letters:
            if letter.message_id in new:
                groups.setdefault(_kind_of(letter), []).append(letter)
        found = [_about_letters(kind, group) for kind, group in groups.items()]
        return sorted(found, key=lambda alert: not alert.always)

    def _stuck(self) -> Iterator[Alert]:
        now, groups = self.clock(), dict[str, list[tuple[datetime, str]]]()
        for export in self.store.due(now + self.give_up_after, _EXPORTS):
            since = _stands_since(export)
            if kind := self._kind_of(export, since, now):
                groups.setdefault(kind, []).append((since, export.export_id))
        for kind, group in groups.items():
            group.sort()
            ids = tuple(export_id for _, export_id in group[:_NAMED])
            yield Alert(kind=kind, text=_text_of(kind), count=len(group), since=group[0][0], exports=ids)

    def _kind_of(self, export: Export, since: datetime, now: datetime) -> str | None:
        if not export.unfinished:
            return None
        if export.trouble:
            code, tells = export.trouble.code, now - since >= self.after or export.trouble.code in _AT_ONCE
            return (code if code == "internal_error" else f"waiting:{code}") if tells else None
        if export.status is not ExportStatus.QUEUED or now - since < self.after or self.state.paused():
            return None
        return "queue_old" if self.alive() else "no_worker"

    def _of_process(self, noticed: Noticed) -> Alert:
        text = _TEXTS.get(noticed.what, _PROVIDER).format(by=noticed.by.replace("_", " "), what=noticed.what)
        once = f"{self.process} {noticed.kind} {noticed.count}"  # told again only when it happened again
        return Alert(
            kind=noticed.kind,
            text=text[:1].upper() + text[1:],
            count=noticed.count,
            since=noticed.since,
            occurrences=(once,),
        )


def _kind_of(letter: DeadLetter) -> str:
    code = letter.message.attributes.get("errorCode", "received_too_often")
    return f"failed:{code}" if letter.message.attributes.get("exportId") else f"dead_letter:{code}"


def _about_letters(kind: str, letters: Sequence[DeadLetter]) -> Alert:
    ids = [export_id for letter in letters if (export_id := letter.message.attributes.get("exportId"))]
    urgent = kind == f"failed:{ForeignRows.code}"
    text = "The memberships API sent rows of another user. " if urgent else ""
    return Alert(
        kind=kind,
        text=f"{text}New in the dead letter queue. To see why: memberships-export dlq list",
        count=len(letters),
        since=min(letter.sent_at for letter in letters),
        exports=tuple(ids[:_NAMED]),
        occurrences=tuple(letter.message_id for letter in letters),
        always=urgent,
    )


def _stands_since(export: Export) -> datetime:
    if export.trouble:
        return export.trouble.same_since or export.trouble.since
    last = export.timeline[-1].after if export.timeline else 0
    return export.requested_at + timedelta(milliseconds=last)


def _text_of(kind: str) -> str:
    match kind.partition(":"):
        case ("waiting", _, code):
            return f"Exports wait ({code}). They go on by themselves when that is mended; see the runbook, {code}."
        case ("no_worker", _, _):
            return "Exports are queued and no worker is alive. Start one: memberships-export serve, or worker"
        case ("queue_old", _, _):
            return "Exports are queued and not begun: the workers have more than they can do, or hang. See the runbook."
        case _:
            return "Exports wait because of an error that nobody foresaw; the log has it (event=internal_error)."
