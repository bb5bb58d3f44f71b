from zoneinfo import available_timezones

import pytest

from memberships_export.domain.formats.zones import find_zone, is_known_zone, places, search_zones

NAMES = (
    "America/Indiana/Knox",
    "America/New_York",
    "Europe/Berlin",
    "Europe/Dublin",
    "Factory",
    "UTC",
    "localtime",
    "posix/UTC",
    "right/UTC",
)


@pytest.mark.parametrize(
    "text, found",
    [
        ("berl", ["Europe/Berlin"]),
        ("BERLIN", ["Europe/Berlin"]),
        ("new york", ["America/New_York"]),
        ("lin", ["Europe/Berlin", "Europe/Dublin"]),
        ("europe/", ["Europe/Berlin", "Europe/Dublin"]),
        ("knox", ["America/Indiana/Knox"]),
        ("utc", ["UTC"]),
        ("local", []),
        ("Mars", []),
    ],
)
def test_zones_are_found_by_any_part_of_their_names(text: str, found: list[str]) -> None:
    assert search_zones(text, NAMES, 20) == found


def test_the_exact_name_comes_first_then_beginnings_then_the_rest() -> None:
    names = ("Asia/Bero", "Europe/Ber", "Africa/Timber", "Ber", "Africa/Bera")
    assert search_zones("ber", names, 20) == ["Ber", "Europe/Ber", "Africa/Bera", "Asia/Bero", "Africa/Timber"]
    assert search_zones("ber", names, 2) == ["Ber", "Europe/Ber"]


def test_every_zone_of_this_machine_that_is_a_place_is_known_and_found() -> None:
    names = available_timezones()
    for name in places(names):
        assert is_known_zone(name)
        assert find_zone(name.upper(), lambda: names) == name


@pytest.mark.parametrize("name", ["", "Factory", "localtime", "right/UTC", "posix/UTC", "../UTC", "/etc/passwd", "\0"])
def test_what_is_no_place_is_no_zone(name: str) -> None:
    assert not is_known_zone(name)
    assert find_zone(name, lambda: NAMES) is None
