"""Colours that can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.domain.mail.colours import BLACK, WHITE, contrast, seen_on, text_on

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
PAGES = ("#ffffff", "#1d1f23")


@pytest.mark.parametrize(
    "one, other, told",
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, told: float) -> None:
    assert contrast(one, other) == pytest.approx(told, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize(
    "colour, words", [("#000000", WHITE), ("#ffd500", BLACK), ("#1f5fbf", WHITE), ("#ffffff", BLACK)]
)
def test_words_on_a_colour_are_black_or_white(colour: str, words: str) -> None:
    assert text_on(colour) == words


@given(colours)
def test_words_can_be_read_on_any_colour(colour: str) -> None:
    assert contrast(text_on(colour), colour) >= 4.5


@pytest.mark.parametrize("background", PAGES)
@pytest.mark.parametrize("least", [3.0, 4.5])
@given(colour=colours)
def test_any_colour_can_be_seen_on_a_page_by_day_and_by_night(background: str, least: float, colour: str) -> None:
    assert contrast(seen_on(background, colour, least), background) >= least


@pytest.mark.parametrize("background, colour", [("#ffffff", "#1f5fbf"), ("#1d1f23", "#ffd500")])
def test_a_colour_that_can_be_seen_stays_as_it_is(background: str, colour: str) -> None:
    assert seen_on(background, colour, 4.5) == colour


def test_a_colour_that_cannot_be_seen_is_moved_no_further_than_it_has_to_be() -> None:
    assert seen_on("#ffffff", "#ffffff", 3.0) == "#8c8c8c"
    assert seen_on("#1d1f23", "#000000", 3.0) == "#737373"
