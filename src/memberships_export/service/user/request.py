"""Accepting exports: the record is durable before anybody is answered, and there are never two for one wish."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ParamSpec, TypeVar
from uuid import UUID, uuid4, uuid5

from memberships_export.domain.errors import ExportError, IdempotencyKeyReused, UnknownExport
from memberships_export.domain.export.lifecycle import readdress
from memberships_export.domain.export.policy import Policy
from memberships_export.domain.export.rate import Turn
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.options import Likes, Options
from memberships_export.domain.mail.address import canonical_address
from memberships_export.domain.messages.new_export import NewExport, TakenIn
from memberships_export.domain.messages.wake import wake_message
from memberships_export.logs.about import about
from memberships_export.ports import Clock, Erasures, ExportStore, Intake, Metrics
from memberships_export.service.choose_options import ChooseOptions
from memberships_export.service.metrics import ACCEPTED, COALESCED, REFUSED, REQUESTED, NoMetrics
from memberships_export.service.record import change
from memberships_export.service.user.callers import checked_user_id

log = logging.getLogger(__name__)
_IDEMPOTENCY_KEYS = UUID("c1d0d5f6-93cb-4a39-8a0e-0f3c8f0f7f3e")  # made once, at random


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An export that a user asks for. User and address come from a token that was checked.

    `said` is what they said about the file: a JSON object as clients send it.
    """

    user_id: str
    email: str
    said: Mapping[str, object] = field(default_factory=dict)
    likes: Likes = Likes()  # of the user, as far as they are known
    idempotency_key: str | None = None
    request_id: str | None = None  # to find it in logs


@dataclass(frozen=True, slots=True)
class Accepted:
    """The export that answers the wish; `created` is false when it was under way already."""

    export: Export
    created: bool


@dataclass(frozen=True, slots=True)
class _Begun:
    """A wish that can be taken in, and what of it is."""

    wish: Wish
    new: NewExport


Outcome = Accepted | Exception
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExport:
    """The use case behind `GET /memberships/export`."""

    choose: ChooseOptions
    store: ExportStore
    erasures: Erasures
    intake: Intake
    clock: Clock
    policy: Policy
    metrics: Metrics = field(default_factory=NoMetrics)

    def __call__(self, wish: Wish) -> Accepted:
        """Record the export and wake a worker.

        Raises InvalidUserId, InvalidAddress, InvalidOptions, RateLimited (with the seconds to wait),
        IdempotencyKeyReused. An error of the queue is not one of the request: the sweeper sends what was not sent.
        """
        (outcome,) = self.together([wish])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def together(self, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        """Do the same for wishes that come at once, and return what became of each: `Intake.most` are one write."""
        begun = [_outcome(wish, self._begin, wish) for wish in wishes]
        taken = self._take_in([one for one in begun if isinstance(one, _Begun)])
        ended = [
            one if isinstance(one, Exception) else _outcome(one.wish, self._finish, one, next(taken)) for one in begun
        ]
        for outcome in ended:
            self._count(outcome)
        return ended

    def _begin(self, wish: Wish) -> _Begun:
        wish = replace(wish, user_id=checked_user_id(wish.user_id), email=canonical_address(wish.email))
        options, now = self.choose(wish.said, wish.likes), self.clock()
        wanted = _record_for(wish, options, now, self.policy)
        if wish.idempotency_key is not None and self.erasures.get(wanted.export_id):
            reason = "The export of this Idempotency-Key was erased: use a new key."
            raise IdempotencyKeyReused(reason)
        turn = Turn(wish.user_id, now, self.policy.max_exports_per_hour)
        return _Begun(wish, NewExport(wanted, turn, wake_message(wanted)))

    def _take_in(self, begun: Sequence[_Begun]) -> Iterator[TakenIn | Exception]:
        return iter(self.intake.take_in([one.new for one in begun]) if begun else ())

    def _finish(self, begun: _Begun, taken: TakenIn | Exception) -> Accepted:
        if isinstance(taken, Exception):
            raise taken
        stored, wanted = taken.export, begun.new.export
        if stored.revision != wanted.revision:  # a twin of this request was first, or an export is under way
            return Accepted(self._joined(_same_options(stored, wanted.options), begun.wish), created=False)
        if taken.unsent is None:
            log.info("export=%s event=requested", stored.export_id)
        else:
            log.warning("export=%s event=message_not_sent reason=%s", stored.export_id, taken.unsent)
        return Accepted(stored, created=True)

    def _joined(self, export: Export, wish: Wish) -> Export:
        """Answer with an export that is there; it goes to the newest verified address of its user."""
        log.info("export=%s event=joined", export.export_id)
        if export.email == wish.email:
            return export
        with suppress(UnknownExport):  # it is gone since: then nothing goes anywhere
            joined = change(self.store, self.clock(), export, readdress, wish.email)
            if joined.email != export.email:
                log.info("export=%s event=address_changed", export.export_id)
            return joined
        return export

    def _count(self, outcome: Outcome) -> None:
        self.metrics.count(REQUESTED)
        if isinstance(outcome, ExportError):
            self.metrics.count(REFUSED, outcome.code)
        elif isinstance(outcome, Accepted):
            self.metrics.count(ACCEPTED if outcome.created else COALESCED)


def _outcome(wish: Wish, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Exception:
    """Take a step for one of many wishes, and name its request in what is logged."""
    with about(request=wish.request_id):
        try:
            return step(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  (it is told to whoever has this wish)
            return error


def _record_for(wish: Wish, options: Options, now: datetime, policy: Policy) -> Export:
    return Export(
        export_id=_export_id(wish),
        revision=uuid4().hex,
        user_id=wish.user_id,
        email=wish.email,
        options=options,
        requested_at=now,
        request_id=wish.request_id,
        wake_at=now + policy.nudge_after,
    )


def _export_id(wish: Wish) -> str:
    """Random, or always the same for the same user and key: so a repeated POST finds its export again."""
    if wish.idempotency_key is None:
        return str(uuid4())
    return str(uuid5(_IDEMPOTENCY_KEYS, f"{len(wish.user_id)}:{wish.user_id}:{wish.idempotency_key}"))


def _same_options(export: Export, options: Options) -> Export:
    if export.options != options:
        reason = "This Idempotency-Key was used before for an export with other options: use a new key."
        raise IdempotencyKeyReused(reason)
    return export
