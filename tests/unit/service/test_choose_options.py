"""What is remembered of wishes that say nothing changes nothing about them."""

import pytest

from memberships_export.domain.errors import InvalidOptions
from memberships_export.domain.formats.options import Likes
from memberships_export.service import choose_options
from memberships_export.service.choose_options import ChooseOptions
from tests.fakes.world import World

LIKES = [Likes(), Likes(languages=("de", "fr")), Likes(languages=("xx",), time_zones=("Europe/Berlin", "Mars/North"))]


def a_choice() -> ChooseOptions:
    return World().services.request.choose


@pytest.mark.parametrize("likes", LIKES)
def test_a_wish_that_says_nothing_gets_the_same_options_each_time(likes: Likes) -> None:
    choose = a_choice()
    assert choose({}, likes) == choose({}, likes) == a_choice()({}, likes)


def test_likes_are_not_mixed_up_and_what_is_said_counts_before_them() -> None:
    choose = a_choice()
    assert [choose({}, likes).language for likes in LIKES] == ["en", "de", "en"]
    assert choose({}, LIKES[2]).time_zone == "Europe/Berlin"
    assert choose({"language": "fr"}, LIKES[1]).language == "fr"
    assert choose({}, LIKES[1]).language == "de"
    with pytest.raises(InvalidOptions):
        choose({"languages": "fr"}, LIKES[1])


def test_only_so_many_likes_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose_options, "_MOST", 10)
    choose = a_choice()
    for number in range(25):
        assert choose({}, Likes(languages=(f"x{number}", "de"))).language == "de"
    assert len(choose._plain) <= 10  # noqa: SLF001  (what must not grow)
