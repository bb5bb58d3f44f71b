"""Who chooses the language and the zone where the request itself does not: the token, the browser, the settings."""

from collections.abc import Sequence

import pytest
from starlette.requests import Request

from memberships_export.domain.formats.choosing import Offer, Wanted, choose
from memberships_export.domain.formats.options import Likes
from memberships_export.domain.source.profile import Profile
from memberships_export.entrypoints.api.likes import likes_of
from memberships_export.service.user.callers import Caller
from tests.unit.api.service import Service, bearer, token_for

STARTS = [("GET", "/memberships/export"), ("POST", "/memberships/exports")]

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


@pytest.mark.parametrize("method, path", STARTS)
def test_an_answer_that_the_browser_had_a_say_in_tells_so(service: Service, method: str, path: str) -> None:
    started = service.call(method, path, headers={"Accept-Language": "fr-CA, en;q=0.5"})

    assert started.json()["options"]["language"] == "fr-CA"
    assert started.headers["Vary"] == "Accept-Language"


@pytest.mark.parametrize("method, path", STARTS)
@pytest.mark.parametrize("odd", [7, ["de"], {"language": "de"}, "Deutsch", ""])
def test_likings_that_nobody_can_read_refuse_nobody(service: Service, method: str, path: str, odd: object) -> None:
    token = token_for(locale=odd, zoneinfo=odd)
    started = service.call(method, path, headers=bearer(token) | {"Accept-Language": "\x7f;;q=x, de"})

    assert started.status_code == 202
    assert (started.json()["options"]["language"], started.json()["options"]["timeZone"]) == ("de", "UTC")


def test_what_is_offered_names_the_language_of_its_labels(service: Service) -> None:
    offered = service.get("/memberships/exports/options", headers={"Accept-Language": "de-CH"})

    assert offered.headers["Content-Language"] == offered.json()["language"] == "de-CH"
    assert offered.headers["Vary"] == "Accept-Language"
    assert {"name": "name", "label": "Name", "type": "text"} in offered.json()["columns"]
    assert {"name": "validUntil", "label": "Gültig bis", "type": "date_or_text"} in offered.json()["columns"]
