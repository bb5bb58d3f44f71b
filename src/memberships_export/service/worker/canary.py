"""Before the first export of a day: a user that cannot exist must get no rows, where rows name no owner."""

from dataclasses import dataclass, field
from datetime import date

from memberships_export.domain.errors import ForeignRows, MembershipsContractBroken, MembershipsRefused, NothingThere
from memberships_export.domain.source.asking import Ask
from memberships_export.domain.source.canary import nobody_like
from memberships_export.domain.source.reader import Reader
from memberships_export.ports import Clock, MembershipSource

_ABOUT = (
    "That was for a user that cannot exist, who must get no rows, or status 400, 404, 410 or 422, because the profile "
    "names no owner: where rows have one, name rows.owner."
)


@dataclass(frozen=True, slots=True)
class Canary:
    """Proves once a day and process that an API tells users apart, and each time that it does so beside filters.

    With filters alone little would be proved: there may be no rows because of them. Without them, an API that gives all
    rows that match a filter, whoever is asked for, would not be found out.
    """

    source: MembershipSource
    clock: Clock
    _proven: dict[str, date] = field(default_factory=dict)  # by fingerprint of a profile

    def __call__(self, reader: Reader, ask: Ask) -> None:
        """Raise ForeignRows when the API has rows for nobody."""
        if reader.profile.rows.owner is not None:
            return
        today = self.clock().date()
        if self._proven.get(reader.known.fingerprint) != today:
            self._check(reader, Ask(ask.profile, ask.user, ask.size))
            self._proven[reader.known.fingerprint] = today
        if ask.filters:
            self._check(reader, ask)

    def _check(self, reader: Reader, ask: Ask) -> None:
        if rows := self.rows_of_nobody(reader, ask):
            reason = (
                f"The memberships API sent {rows} rows for a user that cannot exist, and its rows name no owner: its "
                "filter does not work, and nothing of it is kept or mailed."
            )
            raise ForeignRows(reason)

    def rows_of_nobody(self, reader: Reader, ask: Ask) -> int:
        """Return how many rows a user that cannot exist gets."""
        nobody = Ask(ask.profile, nobody_like(ask.user), ask.size, ask.filters)
        try:
            answer = self.source.fetch(nobody.page(None), reader.known)
            return len(reader.read(answer).rows)
        except NothingThere:
            return 0
        except MembershipsContractBroken as error:
            raise MembershipsContractBroken(f"{error.reason} {_ABOUT}") from error
        except MembershipsRefused as error:
            raise MembershipsRefused(f"{error.reason} {_ABOUT}", retry_after=error.retry_after) from error
