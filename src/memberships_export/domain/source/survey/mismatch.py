"""What of a page is not as the profile says: where, what is there instead, and in how many rows. Without values."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import Raw

from memberships_export.domain.source.row_types import type_of
from memberships_export.domain.source.row_uses import Read
from memberships_export.domain.source.survey.raw_json import elements, is_null, kind_of, members

_NAME = re.compile(r"[@$]?[A-Za-z_][A-Za-z0-9_.$:-]{0,39}")  # of a field; anything else may be somebody's
_MOST_NAMES = 20
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NULL = "is null, and must not be"
_NULL_ON_THE_WAY = "is null, and what the profile reads in it must be there"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is not as the profile says. `there`: the names that are there instead, of an object."""

    about: str
    where: str
    what: str
    there: tuple[str, ...] = ()
    rows: int = 1

    @property
    def text(self) -> str:
        """All of it, for whoever writes the profile."""
        names = f"; it has: {', '.join(self.there)}" if self.there else ""
        return f"{self.short}{names}"

    @property
    def short(self) -> str:
        """Leave out the names: some APIs have names of persons there."""
        rows = f" (in {self.rows} rows)" if self.rows > 1 else ""
        return f"{self.where} {self.what}{rows}".strip()


def mismatches(read: Read, values: Sequence[Raw], where: Sequence[str]) -> list[Mismatch]:
    """Say what is wrong with one place in each of these values, which stand at `where`. Equal ones are counted."""
    kind = type_of([read.use])
    if not values or _refusal(b"[%b]" % b",".join(values), list[kind]) is None:  # type: ignore[valid-type]
        return []
    return counted(
        _mismatch(read, value, place, error)
        for value, place in zip(values, where, strict=True)
        if (error := _refusal(bytes(value), kind))
    )


def counted(found: Iterable[Mismatch]) -> list[Mismatch]:
    """Join those of the same kind; the first place is named."""
    known: dict[tuple[str, str], Mismatch] = {}
    for one in found:
        before = known.get((one.about, one.what))
        known[one.about, one.what] = replace(before, rows=before.rows + one.rows) if before else one
    return list(known.values())


def harmless(names: Iterable[str]) -> tuple[str, ...]:
    """Take names of fields, and leave out what looks like a value that is used as one."""
    known = list(names)
    shown = [name for name in known if _NAME.fullmatch(name)][:_MOST_NAMES]
    return (*shown, *([f"{len(known) - len(shown)} more"] if len(shown) < len(known) else []))


def below(where: str, step: str | int) -> str:
    """Go one step down, as paths are written."""
    if isinstance(step, int):
        return f"{where}[{step}]"
    name = step if _PLAIN.fullmatch(step) else json.dumps(step, ensure_ascii=False)
    return f"{where}.{name}"


def _refusal(text: bytes, kind: Any) -> str | None:  # noqa: ANN401  (a type)
    try:
        msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return str(error)
    return None


def _mismatch(read: Read, value: Raw, where: str, error: str) -> Mismatch:
    """Find where it stops to be what is read; what only the decoder sees is told in its words."""
    return _on_the_way(read, value, where) or Mismatch(read.about, where, f"cannot be read: {error}")


def _on_the_way(read: Read, value: Raw, where: str) -> Mismatch | None:
    steps = read.use.steps
    for number, step in enumerate(steps):
        if is_null(value):
            return None if _may_lack(read, number, null=True) else Mismatch(read.about, where, _NULL_ON_THE_WAY)
        inside = members(value) if isinstance(step, str) else elements(value)
        if inside is None:
            wanted = json.dumps(step, ensure_ascii=False) if isinstance(step, str) else "a list"
            return Mismatch(read.about, where, f"is {kind_of(value)}, where the profile looks for {wanted}")
        found = _one(inside, step)
        if found is None:
            may_lack = isinstance(step, int) or _may_lack(read, number, null=False)
            what = f"has no {json.dumps(step, ensure_ascii=False)}"
            return None if may_lack else Mismatch(read.about, where, what, harmless(map(str, inside)))
        value, where = found, below(where, step)
    return _at_the_end(read, value, where)


def _one(inside: Any, step: str | int) -> Raw | None:  # noqa: ANN401  (an object or a list)
    if isinstance(step, str):
        return inside.get(step)  # type: ignore[no-any-return]
    return inside[step] if step < len(inside) else None


def _may_lack(read: Read, number: int, *, null: bool) -> bool:
    """Inside a list any element may lack what is read."""
    free = any(isinstance(step, int) for step in read.use.steps[:number])
    return free or (read.use.null if null else read.use.missing)


def _at_the_end(read: Read, value: Raw, where: str) -> Mismatch | None:
    if is_null(value):
        return None if _may_lack(read, len(read.use.steps), null=True) else Mismatch(read.about, where, _NULL)
    if _refusal(bytes(value), read.use.kind) is None:
        return None
    return Mismatch(read.about, where, f"is {kind_of(value)}, where the profile says {read.says}")
