"""The routes where the identity provider, or a load balancer in front, says who calls."""

import threading
from collections.abc import Iterator
from queue import Queue

import pytest

from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.endpoint import Endpoint, Limits
from memberships_export.adapters.identity.gateway import BalancedUsers
from memberships_export.adapters.identity.introspection import Client, IntrospectedTokens
from memberships_export.adapters.identity.jwt import SharedSecretVerifier
from memberships_export.adapters.identity.kept_answers import Keeping, KeptAnswers
from memberships_export.adapters.identity.userinfo import WithUserinfo
from memberships_export.entrypoints.api.exports_api import Identify
from memberships_export.service.user.callers import Caller, TokenVerifier
from rig.services.fake_identity_provider import CLIENT_ID, CLIENT_SECRET, FakeIdentityProvider
from rig.services.recording_api import Reply
from tests.fakes import balancer_tokens as gateway
from tests.fakes.forged_tokens import EC_KEY, SECRET, claims, hs
from tests.fakes.world import World
from tests.unit.api.service import Service, assert_problem, bearer, expected, exports_api, foreign_app, own_app

STUCK = 60  # seconds after which a test fails instead of hanging
BEHIND_BALANCER = ExpectedClaims(audiences=frozenset({"the client id"}), issuer="https://id.example.org")
ANNA = {"sub": "anna", "email": "anna@example.org", "email_verified": True}


@pytest.fixture
def provider() -> Iterator[FakeIdentityProvider]:
    with FakeIdentityProvider() as made:
        made.tokens["opaque"] = ANNA | {"active": True, "iss": "https://id.example.org"}
        made.keys[gateway.KID] = gateway.ec_pem(EC_KEY)
        yield made


def service(tokens: TokenVerifier | Identify) -> Service:
    world = World()
    return Service(world, own_app(exports_api(world, tokens)))


def introspected(provider: FakeIdentityProvider, wait: float = 60) -> IntrospectedTokens:
    endpoint = Endpoint("URL", provider.introspection_url, Limits(seconds=wait))
    answers: KeptAnswers[Caller] = KeptAnswers(Keeping(wait=wait))
    return IntrospectedTokens(endpoint, Client(CLIENT_ID, CLIENT_SECRET), expected(), answers)


def with_userinfo(provider: FakeIdentityProvider) -> WithUserinfo:
    return WithUserinfo(SharedSecretVerifier(SECRET, expected()), Endpoint("URL", provider.userinfo_url), expected())


def address_of_the_export(made: Service) -> str:
    (export,) = made.world.store.records.values()
    return export.email


def test_a_token_that_only_the_provider_can_read_starts_an_export(provider: FakeIdentityProvider) -> None:
    made = service(introspected(provider))
    assert made.client.get("/memberships/export", headers=bearer("opaque")).status_code == 202
    assert address_of_the_export(made) == "anna@example.org"
    assert_problem(made.client.get("/memberships/exports", headers=bearer("revoked")), 401, "invalid_token")


def test_an_introspected_address_that_nobody_verified_starts_nothing(provider: FakeIdentityProvider) -> None:
    provider.tokens["opaque"] = {**provider.tokens["opaque"], "email_verified": None}
    made = service(introspected(provider))
    response = made.client.get("/memberships/export", headers=bearer("opaque"))
    assert_problem(response, 403, "email_not_verified")
    assert made.nothing_happened()


def test_nobody_is_let_in_while_the_provider_does_not_answer(provider: FakeIdentityProvider) -> None:
    provider.instead = Reply(b"", 500)
    made = service(introspected(provider))
    response = made.client.get("/memberships/export", headers=bearer("opaque"))
    assert "127.0.0.1" not in str(assert_problem(response, 503, "temporary_problem"))
    assert int(response.headers["Retry-After"]) >= 1
    assert made.nothing_happened()


def test_known_users_and_probes_are_answered_while_a_crowd_waits_for_the_provider(
    provider: FakeIdentityProvider,
) -> None:
    with service(introspected(provider, wait=600)).client as client:
        assert client.get("/memberships/exports", headers=bearer("opaque")).status_code == 200
        provider.gate.clear()
        statuses: Queue[int] = Queue()

        def ask(number: int) -> None:
            statuses.put(client.get("/memberships/exports", headers=bearer(f"unknown-{number}")).status_code)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(46)]
        for thread in threads:
            thread.start()
        try:
            assert [statuses.get(timeout=STUCK) for _ in range(30)] == [503] * 30

            assert client.get("/memberships/exports", headers=bearer("opaque")).status_code == 200
            assert client.get("/readyz").status_code == 200
        finally:
            provider.gate.set()
            for thread in threads:
                thread.join()
        assert [statuses.get(timeout=STUCK) for _ in range(16)] == [401] * 16


@pytest.mark.parametrize("path", ["/memberships/export", "/memberships/exports"])
def test_the_address_is_asked_for_by_who_is_mailed_to_and_nobody_else(
    provider: FakeIdentityProvider, path: str
) -> None:
    token = hs(claims())
    provider.users[token] = ANNA
    made = service(with_userinfo(provider))
    provider.instead = Reply(b"", 500)
    response = made.client.get(path, headers=bearer(token))
    if path == "/memberships/exports":
        assert response.status_code == 200
        assert provider.seen == []
        return
    assert_problem(response, 503, "temporary_problem")
    assert made.nothing_happened()

    provider.instead = None
    assert made.client.get(path, headers=bearer(token)).status_code == 202
    assert made.client.post("/memberships/exports", headers=bearer(token)).status_code == 200
    assert address_of_the_export(made) == "anna@example.org"


def test_a_resend_goes_to_the_address_that_userinfo_tells(provider: FakeIdentityProvider) -> None:
    token = hs(claims())
    provider.users[token] = ANNA
    made = service(with_userinfo(provider))
    export_id = made.client.get("/memberships/export", headers=bearer(token)).json()["exportId"]
    made.world.work()
    response = made.client.post(f"/memberships/exports/{export_id}/resend", headers=bearer(token))
    assert response.status_code == 202


@pytest.mark.parametrize(
    "user, status, code",
    [
        ({"sub": "anna"}, 403, "email_missing"),
        (ANNA | {"email_verified": None}, 403, "email_not_verified"),
        (ANNA | {"email": "ännä@example.org"}, 422, "invalid_address"),
        (ANNA | {"sub": "ben"}, 503, "temporary_problem"),
        (None, 401, "invalid_token"),
    ],
)
def test_an_address_that_userinfo_does_not_prove_starts_nothing(
    provider: FakeIdentityProvider, user: dict[str, object] | None, status: int, code: str
) -> None:
    token = hs(claims(email="old@example.org"))
    if user:
        provider.users[token] = user
    made = service(with_userinfo(provider))
    assert_problem(made.client.get("/memberships/export", headers=bearer(token)), status, code)
    assert made.nothing_happened()


@pytest.mark.parametrize("make_app", [own_app, foreign_app])
def test_whom_a_load_balancer_has_logged_in_gets_an_export(provider: FakeIdentityProvider, make_app: type) -> None:
    users = BalancedUsers(gateway.ARN, Endpoint("URL", provider.keys_url), BEHIND_BALANCER)
    world = World()
    made = Service(world, make_app(exports_api(world, users)))
    plain = {"x-amzn-oidc-identity": "anna", **bearer(hs(claims()))}
    assert_problem(made.client.get("/memberships/export", headers=plain), 401, "invalid_token")
    twice = [("x-amzn-oidc-data", gateway.token())] * 2
    assert_problem(made.client.get("/memberships/export", headers=twice), 401, "invalid_token")
    assert made.nothing_happened()

    response = made.client.get("/memberships/export", headers={"X-Amzn-Oidc-Data": gateway.token()})
    assert response.status_code == 202
    assert address_of_the_export(made) == "anna@example.org"


# --- Who is asked where -----------------------------------------------------------------------------------------------


class Watched:
    """A verifier that knows one token at once, and notes in which threads it is asked."""

    def __init__(self) -> None:
        self.at_once_in: list[str] = []
        self.waits_in: list[str] = []

    def at_once(self, token: str, *, to_mail_to: bool = False) -> Caller | None:  # noqa: ARG002  (the port's signature)
        self.at_once_in.append(threading.current_thread().name)
        return Caller("anna", "anna@example.org") if token == "known" else None

    def verify(self, token: str) -> Caller:  # noqa: ARG002  (the port's signature)
        self.waits_in.append(threading.current_thread().name)
        return Caller("ben", "ben@example.org")


@pytest.mark.parametrize("path", ["/memberships/export", "/memberships/exports"])
def test_who_is_known_at_once_costs_no_thread_and_who_is_not_keeps_nobody_waiting(path: str) -> None:
    tokens = Watched()
    asked = service(tokens)
    with asked.client as client:
        assert client.get(path, headers=bearer("known")).is_success
        assert tokens.waits_in == []
        assert client.get(path, headers=bearer("unknown")).is_success
    assert not [name for name in tokens.at_once_in if "worker thread" in name.lower()]
    assert [name for name in tokens.waits_in if "worker thread" in name.lower()] == tokens.waits_in != []
