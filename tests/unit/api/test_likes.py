"""Who chooses the language and the zone where the request itself does not: the token, the browser, the settings."""

from collections.abc import Sequence

import pytest
from starlette.requests import Request

from memberships_export.domain.formats.choosing import Offer, Wanted, choose
from memberships_export.domain.formats.options import Likes
from memberships_export.domain.source.profile import Profile
from memberships_export.entrypoints.api.likes import likes_of
from memberships_export.service.user.callers import Caller

USUAL = Likes(languages=("it",), time_zones=("Europe/Rome",))


def profile() -> Profile:
    raise AssertionError("nothing was said of columns")


OFFER = Offer(profile=profile, zone_names=lambda: ())


def asking(*accept: str) -> Request:
    return Request({"type": "http", "headers": [(b"accept-language", value.encode()) for value in accept]})


def caller(locale: str | None = None, zone: str | None = None) -> Caller:
    return Caller("anna", "anna@example.org", locale=locale, time_zone=zone)


@pytest.mark.parametrize(
    "locale, accept, language",
    [
        ("de-CH", ["fr"], "de-CH"),
        ("de_CH", ["fr"], "de-CH"),
        ("de-Latn-CH", [], "de-CH"),
        ("DE-ch", [], "de-CH"),
        ("sv-SE", ["nb, fr-CA;q=0.8"], "fr-CA"),
        ("<script>", ["fr"], "fr"),
        (None, ["sv, da;q=0.9"], "it"),
        (None, ["en;q=0.3", "es;q=0.4"], "es"),
        (None, ["*"], "it"),
        (None, ["it;q=0, *;q=0.1"], "en"),
        (None, ["nonsense!"], "it"),
        (None, [], "it"),
    ],
)
def test_the_first_language_counts_that_there_is(locale: str | None, accept: Sequence[str], language: str) -> None:
    assert choose(Wanted(), OFFER, likes_of(caller(locale), asking(*accept), USUAL).then(USUAL)).language == language


@pytest.mark.parametrize(
    "zone, chosen",
    [("Europe/Zurich", "Europe/Zurich"), (None, "Europe/Rome"), ("Zürich", "Europe/Rome"), ("../etc", "Europe/Rome")],
)
def test_the_zone_of_the_token_counts_before_that_of_the_settings(zone: str | None, chosen: str) -> None:
    likes = likes_of(caller(zone=zone), asking(), USUAL).then(USUAL)
    assert choose(Wanted(), OFFER, likes).time_zone == chosen
    assert choose(Wanted(preset="raw"), OFFER, likes).time_zone == "UTC"


def test_what_is_said_counts_before_all_of_it() -> None:
    likes = likes_of(caller("de-CH", "Europe/Zurich"), asking("fr"), USUAL).then(USUAL)
    said = choose(Wanted(language="es", time_zone="Europe/Madrid"), OFFER, likes)
    assert (said.language, said.time_zone) == ("es", "Europe/Madrid")
    assert choose(Wanted(preset="excel-nl"), OFFER, likes).language == "nl"
