"""Every port in memory: the same promises as the real adapters (see tests/contract), and a view inside for tests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec

from memberships_export.adapters.embedded.sqs_rules import received_too_often
from memberships_export.domain.audit import Audited, AuditPage, AuditQuery, Outcome, id_bound
from memberships_export.domain.errors import UnreadableRecord
from memberships_export.domain.export.finding import Counts, Found, Place, Wanted, counted, place_of
from memberships_export.domain.export.rate import Turn, with_turn
from memberships_export.domain.export.record import Evidence, Export, Stage
from memberships_export.domain.export.tombstone import Tombstone
from memberships_export.domain.file_key import checked_key
from memberships_export.domain.mail.mail import NOT_WANTED, Mail, SendResult
from memberships_export.domain.messages.belonging import Queued
from memberships_export.domain.messages.letters import DeadLetter
from memberships_export.domain.messages.limits import check_message
from memberships_export.domain.messages.message import Message, Received
from memberships_export.domain.pause import Pause
from memberships_export.domain.source.exchange import Answer, Call
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.ports import Clock, Download, FileSink, Unwanted
from tests.fakes.awaited import AsksAhead

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_CHUNK = 1024


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class MemoryStore:
    """ExportStore. `records` is what it holds."""

    def __init__(self) -> None:
        self.records: dict[str, Export] = {}
        self.unreadable: dict[str, Export] = {}  # as they were when they could still be read
        self.turns: dict[str, tuple[datetime, ...]] = {}
        self._lock = Lock()

    def create(self, export: Export, turn: Turn | None = None) -> Export:
        with self._lock:
            known = self.records.get(export.export_id) or self._unfinished_like(export)
            if known is None and turn:
                self._take(turn)
            return known or self._write(export, export.revision)

    def take_turn(self, turn: Turn) -> None:
        with self._lock:
            self._take(turn)

    def get(self, export_id: str, *, expired: bool = False) -> Export | None:  # noqa: ARG002  (it keeps all)
        if found := self.unreadable.get(export_id):
            raise UnreadableRecord(export_id, found.user_id, found.requested_at)
        return self.records.get(export_id)

    def find_by_message_id(self, message_id: str) -> Export | None:
        exports = list(self.records.values())
        return next((one for one in exports if any(send.message_id == message_id for send in one.sends)), None)

    def replace(self, old: Export, new: Export) -> Export | None:
        with self._lock:
            if not self._is_current(old) or self._unfinished_like(new):
                return None
            return self._write(new)

    def ids_of_user(self, user_id: str) -> Iterator[str]:
        kept = [*self.records.values(), *self.unreadable.values()]
        return (one.export_id for one in kept if one.user_id == user_id)

    def erase(self, export_id: str) -> None:
        with self._lock:
            self.records.pop(export_id, None)
            self.unreadable.pop(export_id, None)

    def spoil(self, export: Export) -> None:
        """Let nobody be able to read a record any more."""
        self.unreadable[export.export_id] = self.records.pop(export.export_id)

    def forget_turns(self, user_id: str) -> None:
        self.turns.pop(user_id, None)

    def check(self) -> None:
        """It is always there."""

    def list_for_user(self, user_id: str, limit: int) -> Sequence[Export]:
        own = [export for export in list(self.records.values()) if export.user_id == user_id]
        return sorted(own, key=lambda export: (export.requested_at, export.export_id), reverse=True)[:limit]

    def due(self, now: datetime, limit: int) -> Sequence[Export]:
        waking = [(export.wake_at, export.export_id) for export in list(self.records.values()) if export.wake_at]
        ready = sorted(pair for pair in waking if pair[0] <= now)
        return [self.records[export_id] for _, export_id in ready[:limit]]

    def delete(self, export: Export) -> None:
        with self._lock:
            if self._is_current(export):
                del self.records[export.export_id]

    def _take(self, turn: Turn) -> None:
        self.turns[turn.user_id] = with_turn(self.turns.get(turn.user_id, ()), turn)

    def _is_current(self, export: Export) -> bool:
        stored = self.records.get(export.export_id)
        return stored is not None and stored.revision == export.revision

    def _unfinished_like(self, export: Export) -> Export | None:
        others = (other for other in self.records.values() if other.export_id != export.export_id)
        same = (other for other in others if (other.user_id, other.options_key) == (export.user_id, export.options_key))
        return next((other for other in same if other.unfinished), None) if export.unfinished else None

    def _write(self, export: Export, revision: str = "") -> Export:
        self.records[export.export_id] = replace(export, revision=revision or uuid4().hex)
        return self.records[export.export_id]


class MemoryAuditLog:
    """AuditLog. `entries` is what it holds, the oldest first; `trouble` is raised while it is set."""

    def __init__(self) -> None:
        self.by_id: dict[str, Audited] = {}
        self.trouble: Exception | None = None

    @property
    def entries(self) -> list[Audited]:
        return [self.by_id[one] for one in sorted(self.by_id)]

    def note(self, entry: Audited) -> None:
        if self.trouble:
            raise self.trouble
        if self.by_id.setdefault(entry.id, entry).outcome is Outcome.BEGUN:
            self.by_id[entry.id] = entry

    def read(self, query: AuditQuery) -> AuditPage:
        newest_first = reversed(self.entries)
        found = [one for one in newest_first if query.fits(one) and (not query.before or one.id < query.before)]
        shown = found[: query.limit]
        return AuditPage(shown, shown[-1].id if len(found) > query.limit else None)

    def forget_before(self, moment: datetime) -> int:
        old = [one for one in self.by_id if one < id_bound(moment)]
        for one in old:
            del self.by_id[one]
        return len(old)


class MemoryServiceState:
    """ServiceState. Everybody knows at once."""

    def __init__(self) -> None:
        self._pause: Pause | None = None

    def pause(self, pause: Pause) -> Pause:
        known = self._pause
        self._pause = replace(pause, since=known.since, by=known.by) if known else pause
        return self._pause

    def resume(self) -> Pause | None:
        known, self._pause = self._pause, None
        return known

    def paused(self) -> Pause | None:
        return self._pause


class MemoryDesk:
    """ExportDesk over a MemoryStore."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def find(self, wanted: Wanted, limit: int, after: Place | None = None) -> Found:
        fitting = [export for export in list(self._store.records.values()) if wanted.fits(export)]
        newest = sorted(fitting, key=place_of, reverse=True)
        behind = [export for export in newest if after is None or place_of(export) < after]
        return Found(behind[:limit], place_of(behind[limit - 1]) if len(behind) > limit else None)

    def counts(self, wanted: Wanted) -> Counts:
        return Counts(counted(filter(wanted.fits, list(self._store.records.values()))))


class MemoryErasures:
    """Erasures. `tombstones` is what it holds."""

    def __init__(self) -> None:
        self.tombstones: dict[str, Tombstone] = {}

    def begin(self, tombstone: Tombstone) -> Tombstone:
        return self.tombstones.setdefault(tombstone.export_id, tombstone)

    def get(self, export_id: str) -> Tombstone | None:
        return self.tombstones.get(export_id)

    def replace(self, old: Tombstone, new: Tombstone) -> bool:
        there = self.tombstones.get(old.export_id)
        if there is None or there.clear_at != old.clear_at:
            return False
        self.tombstones[new.export_id] = new
        return True

    def due(self, now: datetime, limit: int) -> Sequence[Tombstone]:
        waiting = [(one.clear_at, one) for one in self.tombstones.values() if one.clear_at]
        ready = sorted((pair for pair in waiting if pair[0] <= now), key=lambda pair: pair[0])
        return [one for _, one in ready[:limit]]

    def all(self) -> Iterator[Tombstone]:
        return iter(sorted(self.tombstones.values(), key=lambda one: (one.erased_at, one.export_id)))


class MemoryDeadLetters:
    """DeadLetters. `letters` is what it holds; `back_to` is where all can be moved at once, as SQS does.

    `moved`: what was moved so, and not sent as a message by whoever redrives.
    """

    def __init__(self, clock: Clock) -> None:
        self.letters: list[DeadLetter] = []
        self.back_to: MemoryQueue | None = None
        self.moved: list[DeadLetter] = []
        self._clock = clock

    def add(self, message: Message) -> None:
        check_message(message)
        self.bury(message, uuid4().hex, self._clock())

    def bury(self, message: Message, message_id: str, sent_at: datetime) -> None:
        """Take a message over from the queue with its id and time."""
        letter = DeadLetter(message_id=message_id, message=message, receipt=uuid4().hex, sent_at=sent_at)
        self.letters = sorted([*self.letters, letter], key=lambda letter: letter.sent_at)

    def browse(self, limit: int) -> Sequence[DeadLetter]:
        return self.letters[:limit]

    @contextmanager
    def removing(self) -> Iterator[Callable[[DeadLetter], None]]:
        yield self._remove

    def _remove(self, letter: DeadLetter) -> None:
        self.letters = [other for other in self.letters if other.receipt != letter.receipt]

    def discard(self, unwanted: Unwanted) -> int | None:
        there = len(self.letters)
        self.letters = [one for one in self.letters if not unwanted(Queued(one.message_id, one.message, one.sent_at))]
        return there - len(self.letters)

    def move_all(self) -> bool:
        if self.back_to is None:
            return False
        for letter in self.letters:
            self.back_to.send(letter.message)
        self.moved += self.letters
        self.letters = []
        return True

    def purge(self) -> int:
        gone, self.letters = len(self.letters), []
        return gone


@dataclass(slots=True)
class _Queued:
    message: Message
    message_id: str
    sent_at: datetime
    visible_at: datetime
    receive_count: int = 0
    receipt: str = ""

    def received(self) -> Received:
        return Received(
            message_id=self.message_id, message=self.message, receipt=self.receipt, receive_count=self.receive_count
        )


class MemoryQueue:
    """ExportQueue. Never waits: with a clock that stands still nothing could arrive."""

    def __init__(
        self,
        clock: Clock,
        dead_letters: MemoryDeadLetters,
        visibility: timedelta = timedelta(minutes=5),
        max_receives: int = 5,
    ) -> None:
        self._clock = clock
        self._dead_letters = dead_letters
        self._visibility = visibility
        self._max_receives = max_receives
        self._queued: list[_Queued] = []
        self._lock = Lock()

    @property
    def messages(self) -> list[Message]:
        """What is in the queue, visible or not, oldest first."""
        return [queued.message for queued in self._queued]

    def duplicate(self) -> None:
        """Deliver everything in the queue once more, as SQS now and then does."""
        now = self._clock()
        self._queued += [replace(queued, visible_at=now, receipt="") for queued in self._queued]

    def lose_all(self) -> None:
        """Forget every message."""
        self._queued.clear()

    def send(self, message: Message, stage: Stage = Stage.FETCH) -> None:  # noqa: ARG002  (one queue for all)
        check_message(message)
        now = self._clock()
        with self._lock:
            self._queued.append(_Queued(message, uuid4().hex, sent_at=now, visible_at=now))

    def holds(self, message: Message, stage: Stage = Stage.FETCH) -> bool | None:  # noqa: ARG002  (one queue for all)
        now, export_id = self._clock(), message.attributes.get("exportId")
        waiting = [queued.message for queued in self._queued if queued.visible_at <= now]
        return any(found.attributes.get("exportId") == export_id for found in waiting)

    def receive(self, wait_seconds: float) -> Received | None:  # noqa: ARG002  (it never waits)
        with self._lock:
            now = self._clock()
            for queued in [queued for queued in self._queued if queued.visible_at <= now]:
                if queued.receive_count < self._max_receives:
                    return self._take(queued, now)
                self._bury(queued, now)
            return None

    def acknowledge(self, received: Received) -> None:
        with self._lock:
            self._queued = [queued for queued in self._queued if queued.receipt != received.receipt]

    def give_back(self, received: Received, delay_seconds: float) -> None:
        for queued in self._queued:
            if queued.receipt == received.receipt:
                queued.visible_at = self._clock() + timedelta(seconds=delay_seconds)

    def discard(self, unwanted: Unwanted) -> int | None:
        with self._lock:
            there = len(self._queued)
            self._queued = [
                one for one in self._queued if not unwanted(Queued(one.message_id, one.message, one.sent_at))
            ]
            return there - len(self._queued)

    def _take(self, queued: _Queued, now: datetime) -> Received:
        queued.receipt, queued.receive_count = uuid4().hex, queued.receive_count + 1
        queued.visible_at = now + self._visibility
        return queued.received()

    def _bury(self, queued: _Queued, now: datetime) -> None:
        self._queued.remove(queued)
        letter = received_too_often(queued.received(), self._max_receives, now)
        self._dead_letters.bury(letter, queued.message_id, queued.sent_at)


class _Sink:
    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, chunk: bytes) -> None:
        self.written += chunk


class MemoryFiles:
    """FileStore. `content` is what it holds."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self._lock = Lock()

    def put_once(self, key: str, content: bytes) -> bool:
        with self._lock:
            is_free = checked_key(key) not in self.content
            if is_free:
                self.content[key] = bytes(content)
            return is_free

    def read(self, key: str) -> bytes | None:
        return self.content.get(checked_key(key))

    def stream(self, key: str) -> Iterator[bytes] | None:
        content = self.read(key)
        if content is None:
            return None
        return (content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK))

    @contextmanager
    def writing(self, key: str) -> Iterator[FileSink]:
        checked, sink = checked_key(key), _Sink()
        yield sink
        self.content[checked] = bytes(sink.written)

    def delete_folder(self, prefix: str) -> None:
        inside = checked_key(prefix) + "/"
        self.content = {key: content for key, content in self.content.items() if not key.startswith(inside)}

    def signed_url(self, key: str, download: Download, seconds: int) -> str | None:  # noqa: ARG002  (the port's)
        return None


class ScriptedMailer:
    """Mailer. Answers from the script, then accepts everything; `mails` is what it was given."""

    def __init__(
        self, script: Sequence[SendResult | Callable[[Mail], SendResult]] = (), *, repeatable: bool = False
    ) -> None:
        self.repeatable = repeatable
        self.mails: list[Mail] = []
        self.script = list(script)

    def send(self, mail: Mail, still_wanted: Callable[[], bool] = lambda: True) -> SendResult:
        if not still_wanted():
            return SendResult(evidence=Evidence.REFUSED, detail=NOT_WANTED)
        self.mails.append(mail)
        if not self.script:
            return SendResult(evidence=Evidence.ACCEPTED, message_id=f"message-{len(self.mails)}")
        step = self.script.pop(0)
        return step(mail) if callable(step) else step


@dataclass(frozen=True, slots=True)
class PageCall:
    """What a call asked for."""

    user_id: str
    cursor: str | None
    limit: int


class ListSource(AsksAhead):
    """MembershipSource over rows as they are on the wire.

    Pages as the API makes them: keyset cursor with the upper bound of the first page. `before` says what happens
    before a call, counted from 1: an error to raise, or something to call. `leaks`: serve rows of other users too.
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]],
        before: Mapping[int, Exception | Callable[[], object]] | None = None,
        *,
        leaks: bool = False,
    ) -> None:
        self.rows = list(rows)
        self.before = dict(before or {})
        self.calls: list[PageCall] = []
        self._leaks = leaks
        self._numbers = count(1)

    @property
    def base_url(self) -> str:
        return "http://127.0.0.1:8101"

    def fetch(self, call: Call, profile: KnownProfile) -> Answer:  # noqa: ARG002  (it needs no key)
        query = dict(parse_qsl(call.query))
        request = PageCall(call.user_id, query.get("cursor"), int(query["limit"]))
        self.calls.append(request)
        step = self.before.get(next(self._numbers))
        if isinstance(step, Exception):
            raise step
        if step is not None:
            step()
        return Answer(self.page(request))

    def page(self, request: PageCall) -> bytes:
        """The page that this call gets."""
        own = sorted((row for row in self.rows if self._leaks or row["userId"] == request.user_id), key=_id)
        last, upper = map(int, request.cursor.split(":")) if request.cursor else (0, _id(own[-1]) if own else 0)
        rest = [row for row in own if last < _id(row) <= upper]
        items = rest[: request.limit]
        cursor = f"{_id(items[-1])}:{upper}" if len(rest) > len(items) else None
        total = sum(_id(row) <= upper for row in own)
        return msgspec.json.encode({"items": items, "nextCursor": cursor, "total": total})


def _id(row: Mapping[str, Any]) -> int:
    return int(row["id"])
