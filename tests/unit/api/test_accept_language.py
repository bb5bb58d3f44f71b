"""The header Accept-Language is read as RFC 9110 says, and whatever is in it refuses nobody."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberships_export.entrypoints.api.accept_language import accepted_languages

OURS = ("en", "de", "fr")


@pytest.mark.parametrize(
    "lines, liked",
    [
        ([], []),
        ([""], []),
        (["de"], ["de"]),
        (["de-CH, de;q=0.9, en;q=0.8"], ["de-ch", "de", "en"]),
        (["da, en-gb;q=0.8, en;q=0.7"], ["da", "en-gb", "en"]),  # the example of RFC 9110
        (["en;q=0.1, fr;q=0.9"], ["fr", "en"]),
        (["fr;q=0.5,de;q=0.5"], ["fr", "de"]),
        (["FR-ca;Q=0.5"], ["fr-ca"]),
        (["de_CH"], ["de_ch"]),
        (["zh-Hant-TW"], ["zh-hant-tw"]),
        (["fr ; q=0.5 ,\tde\t;\tq=0.75"], ["de", "fr"]),
        (["de;q=1.000, fr;q=0.001, en;q=0."], ["de", "fr"]),
        (["de;q=0"], []),
        (["de", "fr;q=0.9"], ["de", "fr"]),
        ([", ,de,,"], ["de"]),
        (["*"], ["en", "de", "fr"]),
        (["fr, *;q=0.5"], ["fr", "en", "de"]),
        (["en;q=0, *"], ["de", "fr"]),
        (["*, en;q=0.2"], ["de", "fr", "en"]),
        (["*;q=0"], []),
        (["de-CH;q=0, *"], ["en", "de", "fr"]),
        (["de, de;q=0.1, fr;q=0.5"], ["fr", "de"]),
    ],
)
def test_languages_are_liked_by_their_weight(lines: Sequence[str], liked: Sequence[str]) -> None:
    assert accepted_languages(lines, OURS) == tuple(liked)


@pytest.mark.parametrize(
    "part",
    [
        *("de;q=1.1", "de;q=-1", "de;q=0.1234", "de;q=", "de;q", "de;q=\u0660", "de;level=1", "de;q=0.5;q=1"),
        *("d e", "de-", "-de", "**", "de*", "de-*", "ä", "deutschland", "de\nfr", "de\x00", "<script>", "q=1", "de=1"),
    ],
)
def test_what_is_not_well_formed_is_left_out_and_the_rest_counts(part: str) -> None:
    assert accepted_languages([f"{part}, fr"], OURS) == ("fr",)


def test_a_header_that_is_longer_than_any_browser_sends_is_not_looked_at() -> None:
    assert accepted_languages([", ".join(["de"] * 400)], OURS) == ()
    assert accepted_languages(["de"] * 400, OURS) == ()


@given(st.lists(st.text(alphabet="de*-_;q=01., \tä"), max_size=3))
def test_no_header_is_an_error(lines: list[str]) -> None:
    assert all(accepted_languages(lines, OURS))
