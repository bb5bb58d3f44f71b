"""A memberships API of somebody else: what all fakes of one have in common.

    with Stripe(Holdings({"42": 7}), "id-twice", cap=3) as api: ... api.url, api.calls

A fake says who is asked for, where a page begins and how it looks. What can go wrong (switches.py) works for all.
"""

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import urlencode

from rig.loopback import OnLoopback
from rig.services.apis.exchange import ApiServer, Asked, Reply
from rig.services.apis.held import End, Held, Holdings
from rig.services.apis.switches import Switches

TOKEN_PATH = "/oauth/token"


@dataclass(frozen=True, slots=True)
class Window:
    """What a page shows of a list of `length`: rows `start` to `stop`. `total` is what the API says of the length."""

    rows: Sequence[Held]
    start: int
    stop: int
    length: int
    total: int | None

    @property
    def more(self) -> bool:
        """Whether rows follow."""
        return self.stop < self.length


class FakeApi(OnLoopback):
    """The server, and the walk through a list.

    `script` is what the next calls get instead of an answer: "ok", or a status, "status:429:Retry-After=7".
    """

    mount: ClassVar[str] = ""  # where the API is, below the server
    path: ClassVar[str]  # of the list, below the mount; {user} is who is asked for
    methods: ClassVar[tuple[str, ...]] = ("GET",)
    secret: ClassVar[tuple[str, str]]  # a header, in lower case, and what it must be; {token} is the newest token
    cap: int = 100  # rows a page at most
    newest_first: ClassVar[bool] = False
    user_prefix: ClassVar[str] = ""  # user "42" of the holdings is "cus_42" here

    def __init__(self, holdings: Holdings, *switches: str, cap: int | None = None, script: Sequence[str] = ()) -> None:
        self.holdings = holdings
        self.cap = cap or self.cap
        self.calls: list[Asked] = []
        self.pages = 0  # that were sent
        self.on = Switches(*switches)
        self._script = list(script)
        self._lock = threading.Lock()
        self._places: dict[str, int] = {}  # named by pages: the number of the row before
        self._before = 0
        self._tokens = 0
        self._server = ApiServer(self._answer)
        self.origin = self._server.url
        self.url = self.origin + self.mount

    # --- What a fake says ---------------------------------------------------------------------------------------------

    def user(self, asked: Asked) -> str:
        """Return who is asked for, as the API calls them; "" for everybody."""
        raise NotImplementedError

    def size(self, asked: Asked) -> int:
        """Return how many rows are asked for."""
        raise NotImplementedError

    def start(self, asked: Asked, rows: Sequence[Held]) -> int:
        """Return where in the list the page begins. Raises KeyError for a place that nobody named."""
        raise NotImplementedError

    def page(self, asked: Asked, window: Window) -> Reply:
        """Write the page."""
        raise NotImplementedError

    def refusal(self, asked: Asked) -> Reply | None:
        """Return what the original answers to a request that it does not take, else None."""

    def falls(self, asked: Asked) -> bool:
        """Tell whether the list begins with the newest."""
        return self.newest_first

    def hides_ended(self, asked: Asked) -> bool:
        """Tell whether the list leaves out what has ended."""
        return False

    def state(self, asked: Asked) -> str:
        """Return the state that is asked for, in the words of Held; "" for all."""
        return ""

    # --- What a fake may use ------------------------------------------------------------------------------------------

    def listed(self, rows: Sequence[Any]) -> list[Any] | None:
        """Return rows as a list, or the null that some APIs send for none."""
        return None if "rows-null" in self.on and not rows else list(rows)

    def member(self, held: Held) -> str:
        """Return whose it is, as the API calls them."""
        return self.user_prefix + held.user

    def place(self, window: Window) -> str | None:
        """Name the place behind a page, by a text that says nothing; None for the last page."""
        if not window.more and "cycle" not in self.on:
            return None
        name = "AB"[self.pages % 2] if "cycle" in self.on else f"p{len(self._places) + 1}"
        self._before = self._places.setdefault(name, window.rows[-1].number if window.rows else self._before)
        return name

    def at_place(self, name: str | None, rows: Sequence[Held]) -> int:
        """Return where the rows behind a named place begin. Raises KeyError for one that nobody named."""
        return self.behind(self._places[name], rows) if name else 0

    def behind(self, number: int, rows: Sequence[Held]) -> int:
        """Return where the rows behind the one with this number begin, whether or not it is still there."""
        if self.newest_first:
            return len(rows) - bisect_left(rows[::-1], number, key=lambda held: held.number)
        return bisect_right(rows, number, key=lambda held: held.number)

    def link(self, asked: Asked, **changed: str | int) -> str:
        """Return the address of another page: the same query, with some of it changed."""
        origin = self.origin
        if "inner-host" in self.on:
            origin = "http://memberships.internal:8080"
        if "foreign-host" in self.on:
            origin = "https://elsewhere.example"
        same = {} if "next-is-same" in self.on else changed
        kept = {name: value for name, value in asked.query.items() if name not in self._forgotten}
        return f"{origin}{asked.path}?{urlencode({**kept, **same})}"

    @property
    def _forgotten(self) -> tuple[str, ...]:
        return ("state", "filter[state]") if "state-forgotten" in self.on else ()

    # --- The walk -----------------------------------------------------------------------------------------------------

    def _answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.calls.append(asked)
            if step := self._next_step():
                return step
            if asked.path == TOKEN_PATH:
                return self._new_token(asked)
            if not self._let_in(asked):
                return Reply({"error": "unauthorized"}, 401)
            return self._listing(asked)

    def _listing(self, asked: Asked) -> Reply:
        if asked.method not in self.methods or not self._is_list(asked.path):
            return Reply({"error": "not found"}, 404)
        if refusal := self.refusal(asked):
            return refusal
        try:
            window = self._window(asked)
        except KeyError:
            return Reply({"error": "no such place"}, 400)
        return self.page(asked, window)

    def _is_list(self, path: str) -> bool:
        before, user, behind = (self.mount + self.path).partition("{user}")
        return path.startswith(before) and path.endswith(behind) if user else path == before

    def _window(self, asked: Asked) -> Window:
        if self._goes_on(asked) and self.on.use("place-expires"):
            raise KeyError
        self.pages += 1
        if self.pages == 2:
            self._move_rows(newest_first=self.falls(asked))
        rows = self._rows_for(asked)
        start = min(self.start(asked, rows), len(rows))
        stop = min(start + min(self.size(asked), self.cap) - ("short-pages" in self.on), len(rows))
        counted = len(self.holdings.of.get(self.user(asked).removeprefix(self.user_prefix), []))
        total = counted if "state-counted-not" in self.on else len(rows)
        window = Window(rows[start:stop], start, stop, len(rows), self._total(total))
        return self._spoiled(window, rows)

    def _rows_for(self, asked: Asked) -> list[Held]:
        user = self.user(asked)
        everybody = not user or "filter-ignored" in self.on
        known = (
            self.holdings.everybody() if everybody else self.holdings.of.get(user.removeprefix(self.user_prefix), [])
        )
        hidden = "ended" if self.hides_ended(asked) else None
        wanted = "" if "state-ignored" in self.on else self.state(asked)
        rows = [held for held in known if held.state != hidden and (not wanted or held.state == wanted)]
        return rows[::-1] if self.falls(asked) else rows

    def _total(self, length: int) -> int | None:
        if "no-total" in self.on:
            return None
        if "total-minus-one" in self.on:
            return -1
        if limit := self.on.number("capped-total"):
            return min(length, limit + 1)
        return length + ("wrong-total" in self.on or ("total-changes" in self.on and self.pages > 1))

    def _spoiled(self, window: Window, rows: Sequence[Held]) -> Window:
        if 1 < self.pages <= 1 + self.on.number("empty-pages"):
            return replace(window, rows=[], stop=window.start)
        shown = list(window.rows)
        if "id-twice" in self.on and shown and window.start:
            shown[0] = rows[window.start - 1]
        if "foreign-row" in self.on and shown:
            shown[-1] = replace(shown[-1], user="9" + shown[-1].user)
        return replace(window, rows=shown)

    def _goes_on(self, asked: Asked) -> bool:
        """Tell whether a request names a place that a page named."""
        words = [*asked.query.values(), *asked.body.decode().split('"')]
        return any(word.partition(".")[0] in self._places for word in words)

    def _move_rows(self, *, newest_first: bool) -> None:
        user = next(iter(self.holdings.of))
        first: End = "newest" if newest_first else "oldest"
        last: End = "oldest" if newest_first else "newest"
        if "row-deleted" in self.on or "row-swapped" in self.on:
            self.holdings.remove(user, first)
        if "row-inserted" in self.on:
            self.holdings.add(user, first)
        if "row-appended" in self.on or "row-swapped" in self.on:
            self.holdings.add(user, last)

    # --- Who may ask --------------------------------------------------------------------------------------------------

    def _let_in(self, asked: Asked) -> bool:
        header, value = self.secret
        if self.on.number("dies-after") and self.pages >= self.on.number("dies-after"):
            self.on.off("dies-after")
            self._tokens += "{token}" in value  # the one in use is not the newest any more
            return False
        return asked.headers.get(header) == value.format(token=f"token-{self._tokens}")

    def _new_token(self, asked: Asked) -> Reply:
        if (asked.form.get("client_id"), asked.form.get("client_secret")) != ("export", "s3cret"):
            return Reply({"error": "invalid_client"}, 401)
        self._tokens += 1
        return Reply({"access_token": f"token-{self._tokens}", "token_type": "Bearer", "expires_in": 900})

    def _next_step(self) -> Reply | None:
        step = self._script.pop(0) if self._script else "ok"
        if step == "ok":
            return None
        status, _, header = step.removeprefix("status:").partition(":")
        return Reply({"error": "as scripted"}, int(status), dict([header.split("=", 1)]) if header else {})
