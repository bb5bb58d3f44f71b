import msgspec
import pytest

from memberships_export.domain.source.profile import Profile
from memberships_export.domain.source.profile_file.secrets import is_reference, problem_with, secrets_named

OAUTH2 = {"type": "oauth2_client_credentials", "access_token_url": "https://id.example.org/token"}


def _profile(auth: dict[str, str]) -> Profile:
    raw = {
        "version": 1,
        "request": {"path": "/memberships"},
        "auth": auth,
        "rows": {"path": "", "key": ["id"]},
        "paginator": {"type": "single_page"},
        "columns": [{"name": "id"}],
    }
    return msgspec.convert(raw, Profile)


@pytest.mark.parametrize(
    "auth,named",
    [
        ({"type": "service_jwt"}, ()),
        ({"type": "bearer", "token": "env:API_TOKEN"}, ("env:API_TOKEN",)),
        ({"type": "http_basic", "username": "club", "password": "secret:club/api"}, ("secret:club/api",)),
        ({"type": "http_basic", "username": "env:NAME", "password": "env:WORD"}, ("env:NAME", "env:WORD")),
        ({"type": "http_basic", "username": "env:BOTH", "password": "env:BOTH"}, ("env:BOTH",)),
        ({"type": "api_key", "name": "X-Key", "api_key": "env:KEY"}, ("env:KEY",)),
        ({**OAUTH2, "client_id": "club", "client_secret": "env:CS"}, ("env:CS",)),
        ({**OAUTH2, "client_id": "secret:id", "client_secret": "env:CS"}, ("secret:id", "env:CS")),
    ],
)
def test_each_secret_that_a_profile_names_is_named_once(auth: dict[str, str], named: tuple[str, ...]) -> None:
    assert secrets_named(_profile(auth)) == named


def test_a_reference_that_is_spelt_wrongly_is_still_one_so_that_the_start_refuses_it_by_name() -> None:
    auth = {"type": "http_basic", "username": "env:NOT A NAME", "password": "env:WORD"}
    assert secrets_named(_profile(auth)) == ("env:NOT A NAME", "env:WORD")


@pytest.mark.parametrize("text", ["env:A", "secret:club/api", "env:"])
def test_a_place_is_told_from_a_text(text: str) -> None:
    assert is_reference(text)
    assert not is_reference(f"club {text}")


@pytest.mark.parametrize("secret", ["x", "with space", " around ", "ünï", "日本", "~"])
def test_most_texts_can_be_a_secret(secret: str) -> None:
    assert problem_with(secret) is None


@pytest.mark.parametrize(
    "secret,problem",
    [
        (None, "is not set"),
        ("", "is empty"),
        (" ", "is empty"),
        *(
            (f"x{control}y", "holds a line end or another control character")
            for control in "\x00\t\n\r\x1f\x7f\x85\x9f\u2028\u2029"
        ),
    ],
)
def test_what_cannot_be_a_secret_is_told_without_showing_it(secret: str | None, problem: str) -> None:
    assert problem_with(secret) == problem
