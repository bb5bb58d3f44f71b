"""How a file writes numbers with a fraction: `1200.50`, `1.200,50`, and what could be both."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Literal

Mark = Literal[".", ","]
"""What stands before the fraction."""

GIVEN: Final[dict[str, Mark]] = {".": ".", ",": ",", "point": ".", "dot": ".", "comma": ","}
_GROUPS = " '\u2019\u00a0\u202f"  # what else stands between thousands
_PLAIN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


def _with(mark: Mark, other: str) -> re.Pattern[str]:
    thousands = rf"[1-9][0-9]{{0,2}}(?P<by>[{other}{_GROUPS}])[0-9]{{3}}((?P=by)[0-9]{{3}})*"
    return re.compile(rf"-?(0|[1-9][0-9]*|{thousands})({re.escape(mark)}[0-9]+)?")


_WITH: Final[dict[Mark, re.Pattern[str]]] = {".": _with(".", ","), ",": _with(",", ".")}
_COULD_BE_BOTH = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}")


class TwoMarks(ValueError):
    """The prices do not tell which mark they use; the text names examples."""


def guessed_mark(prices: Iterable[str]) -> Mark | None:
    """Tell the mark from prices; None: they need none. Raises TwoMarks."""
    proof: dict[Mark, str] = {}
    doubtful = None
    for price in prices:
        if _COULD_BE_BOTH.fullmatch(price):
            doubtful = doubtful or price
        elif (mark := _mark_of(price)) is not None:
            proof.setdefault(mark, price)
    if len(proof) > 1:
        raise TwoMarks(f"has prices like {proof[',']!r} and like {proof['.']!r}: say --decimal , or --decimal .")
    if doubtful and not proof:
        raise TwoMarks(f"has prices like {doubtful!r}, with thousands or with three decimals: say --decimal , or .")
    return next(iter(proof), None)


def is_plain(price: str, mark: Mark) -> bool:
    """Tell a price that needs no word: with a point and nothing between thousands, or no price at all."""
    return bool(_PLAIN.fullmatch(price)) or not _WITH[mark].fullmatch(price)


def parse_price(text: str, mark: Mark | None) -> Decimal:
    """Read a price. Raises ValueError with what to do."""
    pattern = _PLAIN if mark is None else _WITH[mark]
    if not pattern.fullmatch(text):
        raise ValueError(_advice(text, mark))
    if mark is None and _COULD_BE_BOTH.fullmatch(text):
        raise ValueError("this may be thousands or three decimals: say --decimal , or --decimal .")
    other = "." if mark == "," else ","
    plain = re.sub(f"[{other}{_GROUPS}]", "", text)
    return Decimal(plain.replace(",", "."))


def _mark_of(price: str) -> Mark | None:
    """Tell the only mark this price can be read with."""
    if not re.search("[.,]", price):
        return None
    fitting: list[Mark] = [mark for mark, pattern in _WITH.items() if pattern.fullmatch(price)]
    return fitting[0] if len(fitting) == 1 else None


def _advice(text: str, mark: Mark | None) -> str:
    if mark == ",":
        return "write a number like 1200,50 or 1.200,50: digits and a comma, a minus if negative; or say --decimal ."
    plain = "write a plain decimal like 1200.50: digits and a point, a minus if negative"
    return f"{plain}; or say --decimal , for a comma." if _mark_of(text) == "," else f"{plain}."
