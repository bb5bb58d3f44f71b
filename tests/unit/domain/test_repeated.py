"""Texts that come again and again: each becomes a field once, as long as it is worth it."""

import pytest

from memberships_export.domain.formats.csv import CsvPieces
from memberships_export.domain.formats.options import Options
from memberships_export.domain.formats.repeated import Repeated, repeat
from memberships_export.domain.source.profile import Column
from tests.unit.domain.csv_tables import a_table

NAME = [Column(name="name")]


class Counted:
    """Makes fields, and keeps of what."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, text: str) -> tuple[str, int]:
        self.made.append(text)
        return text.upper(), int(text.startswith("="))


def test_each_text_is_made_once_and_each_field_counts() -> None:
    make = Counted()
    plans = Repeated(make)

    assert plans.fields(["gold", "=1", None, "gold"]) == ["GOLD", "=1", "", "GOLD"]
    assert plans.guarded(["gold", "=1", None, "gold"]) == 1
    assert plans.fields(["=1", "=1", "gold"]) == ["=1", "=1", "GOLD"]
    assert plans.guarded(["=1", "=1", "gold"]) == 2
    assert make.made == ["gold", "=1", ""]


def test_more_than_half_of_the_texts_have_to_be_there_before() -> None:
    assert repeat(["a", "a", "a", "b", "b"])
    assert not repeat(["a", "a", "b", "b"])
    assert not repeat(["a", "b", None])


@pytest.mark.parametrize("texts", [[f"plan {number}" for number in range(5000)], ["a" * 300_000, "b" * 300_000]])
def test_a_column_whose_texts_turn_out_to_be_too_many_or_too_long_is_no_longer_kept(texts: list[str]) -> None:
    plans = Repeated(Counted())

    assert plans.fields(texts[:-1] * 2) == [text.upper() for text in texts[:-1] * 2]
    few = plans.too_many
    plans.fields(texts)
    assert (few, plans.too_many) == (len(texts) > 2, True)


def test_lines_stay_right_when_a_column_is_no_longer_kept() -> None:
    differing = [[f"=plan {number}"] for number in range(5000)]
    pieces = CsvPieces(Options())
    pages = [a_table([["=gold"]] * 500, NAME), a_table(differing, NAME), a_table([["=gold"], *differing], NAME)]

    assert [pieces.piece([page]) for page in pages] == [CsvPieces(Options()).piece([page]) for page in pages]
