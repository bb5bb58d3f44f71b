"""At every start: one call for a user that cannot exist, which neither delays nor fails anything."""

from dataclasses import dataclass

import pytest

from memberships_export.domain.errors import MembershipsRefused, MembershipsUnavailable, NothingThere
from memberships_export.domain.source.profile import KnownProfile
from memberships_export.entrypoints.profile_log import tell_profile
from memberships_export.service.operator.check_api import CheckApi
from memberships_export.service.operator.first_look import ApiFound, FirstLook
from tests.fakes.log import Log
from tests.fakes.memory import NOON, FakeClock
from tests.readers import a_reader, own_reader
from tests.unit.service.test_check_api import SCOPED, Api, Reply, page, profile, row


def looked(text: str, nobody: Reply) -> ApiFound | None:
    api = Api([], nobody)
    check = CheckApi(source=api, reader=a_reader(text), page_size=5000, seconds=lambda: 0.0)
    look = FirstLook(check, FakeClock())
    assert look.found() is None
    look()
    assert len(api.calls) == 1
    return look.found()


def test_an_api_without_problems_is_one_line(log: Log) -> None:
    found = looked(SCOPED, page())

    assert found == ApiFound(profile="test", sha256=a_reader(SCOPED).known.fingerprint, checked=NOON, problems=[])
    assert log.lines() == ["INFO problems=0 event=api_checked canary=the filter works"]


@pytest.mark.parametrize(
    "text, nobody, about",
    [
        (SCOPED, page(row(1)), "canary"),
        (profile(), MembershipsRefused("It does not accept the token."), "canary"),
        (profile(), MembershipsUnavailable("No answer within 30 seconds."), "canary"),
        (profile(path='"rows"'), page(), "rows"),
    ],
)
def test_what_does_not_fit_is_a_warning_in_words_and_known_by_what_it_is_about(
    text: str, nobody: Reply, about: str, log: Log
) -> None:
    found = looked(text, nobody)

    assert found
    assert found.problems == [about]
    (line,) = log.lines()
    assert line.startswith(f"WARNING problems=1 event=api_checked reason={about}: ")


@pytest.mark.parametrize("nobody", [NothingThere("404"), page(row(1))])
def test_where_rows_name_their_owner_an_api_may_answer_for_nobody_as_it_likes(nobody: Reply) -> None:
    found = looked(profile(), nobody)

    assert found
    assert found.problems == []


def test_a_look_raises_nothing_whatever_happens(log: Log) -> None:
    @dataclass
    class Broken:
        base_url: str = "https://api.example.org"

        def fetch(self, call: object, profile: KnownProfile) -> Reply:  # noqa: ARG002
            raise RuntimeError

    check = CheckApi(source=Broken(), reader=a_reader(SCOPED), page_size=1, seconds=lambda: 0.0)  # type: ignore[arg-type]
    look = FirstLook(check, FakeClock())
    look()

    assert (look.found(), log.lines()) == (None, ["ERROR event=internal_error"])


def test_a_profile_is_one_line(log: Log) -> None:
    known = a_reader(SCOPED).known
    tell_profile(known)
    tell_profile(own_reader().known)
    scoped, own = log.lines()
    assert scoped == (
        f"INFO name=test sha256={known.fingerprint} columns=2 paginator=cursor proof=ended,scoped event=profile"
    )
    assert " paginator=cursor proof=counted,checked " in own
