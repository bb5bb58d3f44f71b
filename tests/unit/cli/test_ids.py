import pytest

from memberships_export.entrypoints.cli.exits import CommandError, WrongUsage
from memberships_export.entrypoints.cli.ids import the_one

IDS = ("8515ac16-6d6b-42ac-a3e5-139a99d0f831", "8515ac16-0000-4000-8000-000000000000", "c0ffee00")


def chosen(typed: str, *ids: str) -> str:
    return the_one(typed, ids or IDS, "letter", "All: dlq list")


@pytest.mark.parametrize("typed", ["c0ff", "c0ffee0", "c0ffee00", "C0FFEE", " c0ff "])
def test_the_beginning_of_an_id_is_enough(typed: str) -> None:
    assert chosen(typed) == "c0ffee00"


def test_a_whole_id_is_meant_also_when_another_goes_on_from_it() -> None:
    assert chosen("abc", "abc", "abcd") == "abc"


def test_a_beginning_that_fits_several_tells_which() -> None:
    with pytest.raises(WrongUsage) as refused:
        chosen("8515")
    assert str(refused.value).splitlines() == [
        "2 ids begin with '8515'. Type more of the one you mean:",
        f"  {IDS[1]}",
        f"  {IDS[0]}",
    ]


def test_of_many_that_fit_only_some_are_told() -> None:
    with pytest.raises(WrongUsage) as refused:
        chosen("abcd", *(f"abcd{number:02}" for number in range(25)))
    assert len(str(refused.value).splitlines()) == 12
    assert str(refused.value).endswith("... and 15 more")


@pytest.mark.parametrize("typed", ["", " ", "c0f"])
def test_too_little_of_an_id_is_refused(typed: str) -> None:
    with pytest.raises(WrongUsage, match=r"at least 4 characters of one. All: dlq list"):
        chosen(typed)


@pytest.mark.parametrize("typed", ["c0ffee00-", "0ffee", "\udcc3\udcbc\udcc3\udcbc"])
def test_an_id_that_fits_none_tells_where_they_are(typed: str) -> None:
    with pytest.raises(CommandError, match=r"There is no letter whose id begins with .* All: dlq list") as refused:
        chosen(typed)
    assert str(refused.value).isascii()
