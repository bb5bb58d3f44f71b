"""What every fake of an API can be told to do wrong, by name."""

SWITCHES = {
    "filter-ignored": "everybody's rows come, whoever is asked for",
    "state-ignored": "rows of all states come, whichever is asked for",
    "state-counted-not": "the total is that of all states, whichever is asked for",
    "state-forgotten": "links and cursors to the next page forget which state was asked for",
    "foreign-row": "the last row of each page is somebody else's",
    "row-deleted": "the first row of the list goes before the second page is asked for",
    "row-inserted": "a row comes in front of the list before the second page is asked for",
    "row-appended": "a row comes at the end of the list before the second page is asked for",
    "row-swapped": "the first row of the list goes and one comes at its end: the total stays as it was",
    "id-twice": "each page but the first begins with the last row of the one before; the total stays as it was",
    "wrong-total": "the total is one too high",
    "total-changes": "the total is one higher from the second page on",
    "no-total": "the total is left out",
    "total-minus-one": "the total is -1",
    "capped-total": "a total that a limit was put on, one above it (capped-total:5)",
    "cycle": "the places that pages name go A, B, A, B",
    "next-is-same": "each page names itself as the next one",
    "empty-pages": "so many empty pages come after the first, each naming another (empty-pages:2)",
    "rows-null": "no rows are null in place of an empty list",
    "short-pages": "each page has one row less than it may have",
    "place-expires": "so many times a place that a page named is not known any more (place-expires:1)",
    "dies-after": "after so many pages the token is refused; a new one is taken (dies-after:1)",
    "inner-host": "links lead to an inner host by plain http",
    "foreign-host": "links lead to somebody else's host",
    "errors-with-200": "errors come with status 200",
}


class Switches:
    """Those that are on, some with a number."""

    def __init__(self, *switches: str) -> None:
        self._on = dict(_known(switch) for switch in switches)

    def __contains__(self, name: str) -> bool:
        return name in self._on

    def number(self, name: str) -> int:
        """Return the number of a switch, 1 without one; 0 when it is off."""
        return int(self._on.get(name, "0") or "1")

    def use(self, name: str) -> bool:
        """Tell whether a switch is on, and count that down."""
        left = self.number(name)
        if left:
            self._on[name] = str(left - 1)
        return left > 0

    def off(self, name: str) -> None:
        """Turn it off."""
        self._on.pop(name, None)


def _known(switch: str) -> tuple[str, str]:
    name, _, number = switch.partition(":")
    if name not in SWITCHES:
        raise ValueError(f"{switch!r} is no switch; known: {', '.join(SWITCHES)}")
    return name, number
