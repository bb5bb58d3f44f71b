from collections.abc import Callable, Iterator

import pytest

from memberships_export.service.user.callers import Caller, KeysUnavailable
from tests.fakes import forged_tokens as forged
from tests.fakes.world import World
from tests.unit.api.service import (
    UNKNOWN_ID,
    Service,
    assert_problem,
    bearer,
    exports_api,
    foreign_app,
    own_app,
    token_for,
)

ROUTES = [
    ("GET", "/memberships/export"),
    ("POST", "/memberships/exports"),
    ("GET", "/memberships/exports"),
    ("GET", f"/memberships/exports/{UNKNOWN_ID}"),
    ("GET", f"/memberships/exports/{UNKNOWN_ID}/file"),
    ("POST", f"/memberships/exports/{UNKNOWN_ID}/cancel"),
    ("POST", f"/memberships/exports/{UNKNOWN_ID}/resend"),
]
EMAIL = {"email": "user-1@example.org", "email_verified": True}
BAD_TOKENS: dict[str, Callable[[], str]] = {
    "not a token": lambda: "hello",
    "two parts": lambda: token_for().rpartition(".")[0],
    "expired": lambda: token_for(exp=forged.soon(-120)),
    "not yet valid": lambda: token_for(nbf=forged.soon(120)),
    "without expiry": lambda: token_for(exp=None),
    "without user": lambda: forged.hs(forged.claims(sub=None, **EMAIL)),
    "other secret": lambda: forged.hs(forged.claims(**EMAIL), forged.OTHER_SECRET),
    "other audience": lambda: token_for(aud="memberships-api"),
    "other issuer": lambda: token_for(iss="https://evil.example.org"),
    "algorithm none": lambda: forged.by_hand({"alg": "none"}, forged.claims(**EMAIL), b"").rpartition(".")[0] + ".",
    "other algorithm": lambda: forged.by_hand({"alg": "HS384"}, forged.claims(**EMAIL), forged.SECRET.encode()),
    "payload exchanged": lambda: forged.with_payload(token_for(), forged.claims(sub="user-2", **EMAIL)),
}


@pytest.mark.parametrize("method, path", ROUTES)
def test_every_route_needs_a_token(service: Service, method: str, path: str) -> None:
    response = service.client.request(method, path)
    assert_problem(response, 401, "token_missing")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert service.nothing_happened()


@pytest.mark.parametrize("method, path", ROUTES)
@pytest.mark.parametrize("bad", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_no_route_takes_a_bad_token(method: str, path: str, bad: Callable[[], str], shared: Service) -> None:
    token = bad()
    response = shared.client.request(method, path, headers=bearer(token))
    assert_problem(response, 401, "invalid_token")
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert token not in response.text
    assert shared.nothing_happened()


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    """One app for many refusals: none of them may leave anything behind."""
    world = World()
    service = Service(world, foreign_app(exports_api(world)))
    with service.client:
        yield service


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": f"token={token_for()}"},
        {"Authorization": f"Basic {token_for()}"},
        {"Authorization": token_for()},
        {"Authorization": "Bearer"},
        {"X-Authorization": f"Bearer {token_for()}"},
    ],
    ids=["cookie", "basic", "no scheme", "no token", "other header"],
)
def test_only_the_bearer_scheme_counts(service: Service, headers: dict[str, str]) -> None:
    assert_problem(service.client.get("/memberships/export", headers=headers), 401, "token_missing")
    assert service.nothing_happened()


@pytest.mark.parametrize(
    "token",
    [b"\xff\xfe", "é".encode(), b"[" * 9000, b"a" * 60_000, b"." * 8000, b"eyJhbGciOiJIUzI1NiJ9.e30."],
    ids=["bytes", "not ASCII", "brackets", "huge", "dots", "no signature"],
)
def test_whatever_a_client_sends_as_a_token_is_a_problem_of_its_own(shared: Service, token: bytes) -> None:
    response = shared.client.get("/memberships/export", headers=[(b"authorization", b"Bearer " + token)])
    assert_problem(response, 401, "invalid_token")
    assert shared.nothing_happened()


def test_a_user_whose_id_is_a_number_gets_an_export(service: Service) -> None:
    response = service.client.get("/memberships/export", headers=bearer(token_for(4711, email="a@example.org")))
    assert response.status_code == 202
    assert [record.user_id for record in service.world.store.records.values()] == ["4711"]


@pytest.mark.parametrize("name", ["token", "access_token", "authorization"])
def test_a_token_in_the_query_does_not_count(service: Service, name: str) -> None:
    response = service.client.get("/memberships/export", params={name: token_for()})
    assert_problem(response, 401, "token_missing")
    assert service.nothing_happened()


class NoKeys:
    """TokenVerifier whose keys cannot be read."""

    def verify(self, token: str) -> Caller:  # noqa: ARG002  (the port's signature)
        raise KeysUnavailable("The keys at id.example.org/jwks cannot be read at the moment.")


@pytest.mark.parametrize("method, path", ROUTES)
def test_nobody_is_let_in_while_the_keys_are_unavailable(method: str, path: str) -> None:
    world = World()
    service = Service(world, own_app(exports_api(world, NoKeys())))
    response = service.call(method, path)
    problem = assert_problem(response, 503, "temporary_problem")
    assert int(response.headers["Retry-After"]) >= 1
    assert "id.example.org" not in str(problem)
    assert service.nothing_happened()
