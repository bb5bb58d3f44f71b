"""What a check of a memberships API found: facts, and problems in words. Only examples hold values of rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from memberships_export.domain.source.profile import KnownProfile
from memberships_export.domain.source.survey.column_survey import ColumnSurvey
from memberships_export.domain.source.survey.proof import Proof


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: `about` a column or a part of the profile."""

    about: str
    text: str


@dataclass(frozen=True, slots=True)
class PageFacts:
    """One page as it came. `asked`: rows at most, None where no size was asked for; `rows`: None when it is no page."""

    number: int
    asked: int | None
    rows: int | None
    bytes: int
    milliseconds: int


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """The keys of page 1. `order`: rising, falling or none."""

    paths: Sequence[str]
    distinct: int
    of: int
    order: str


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """How many rows of page 1 are the user's."""

    path: str
    own: int
    of: int


@dataclass(frozen=True, slots=True)
class CanaryFacts:
    """What a user that cannot exist got. `rows`: None when that cannot be told, as `words` say."""

    user_id: str
    rows: int | None
    words: str


@dataclass(frozen=True, slots=True)
class FilterFacts:
    """Page 1 with filters beside the one without; None where nothing is known."""

    chosen: str
    rows: int
    rows_without: int | None
    total: int | None
    total_without: int | None
    words: str


@dataclass(frozen=True, slots=True)
class NextFacts:
    """How page 1 names the next one. `origin`: of a link that is whole."""

    name: str
    there: bool
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class TotalFacts:
    """What page 1 says about how many there are; None when it does not know or say."""

    place: str
    value: int | None
    unit: str
    exact: bool


@dataclass(slots=True, kw_only=True)
class Report:
    """All that was found; what could not be looked at is None."""

    known: KnownProfile
    proof: Proof
    pages: list[PageFacts] = field(default_factory=list)
    key: KeyFacts | None = None
    owner: OwnerFacts | None = None
    canary: CanaryFacts | None = None
    filter: FilterFacts | None = None  # where one was asked for
    next: NextFacts | None = None
    total: TotalFacts | None = None
    cap: int | None = None  # rows a page, where the API sends fewer than asked for
    repeated: int | None = None  # keys of page 1 that page 2 has again
    columns: Sequence[ColumnSurvey] = ()
    unused: Sequence[str] = ()
    rows_per_second: int | None = None
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _told: set[tuple[str, str]] = field(default_factory=set)

    def add(self, about: str, text: str, kind: str = "") -> None:
        """Note a problem, once; of one `kind` the first one."""
        told = (about, kind or text)
        if told not in self._told and text not in [known.text for known in self.problems]:
            self.problems.append(Problem(about, text))
        self._told.add(told)
