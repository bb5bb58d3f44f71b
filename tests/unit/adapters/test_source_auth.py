"""What proves to a memberships API who is asking, for each type of a profile; and what nobody else may see of it."""

import base64
import logging
import traceback
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from memberships_export.adapters.source.auth import auth_problems
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.domain.errors import ExportError, MembershipsContractBroken, MembershipsRefused
from memberships_export.domain.source.exchange import Call
from memberships_export.domain.source.profile import Auth
from rig.services.recording_api import RecordingApi, Reply, Seen
from tests.unit.adapters.asking import PAGE, asks_with, known, source

BEARER = {"type": "bearer", "token": "env:API_TOKEN"}
BASIC = {"type": "http_basic", "username": "env:WP_USER", "password": "env:WP_PASSWORD"}
KEY = {"type": "api_key", "name": "X-Recharge-Access-Token", "api_key": "env:KEY"}
IN_QUERY = {"type": "api_key", "name": "api_key", "api_key": "env:KEY", "location": "query", "allow_key_in_url": True}
ENVIRON = {"API_TOKEN": "t0ken.canary", "WP_USER": "wp", "WP_PASSWORD": "pass word canary", "KEY": "k3y canary"}
EVERY_TYPE = [BEARER, BASIC, KEY, IN_QUERY]
A_CALL_LATER = Call(user_id="anna", path="/", query="cursor=next", first=False)


class Rotated:
    """A secret of the backend, which keeps what it read until it is asked anew."""

    def __init__(self, text: str) -> None:
        self.now = self.kept = text
        self.read_anew = 0

    def __call__(self) -> str:
        return self.kept

    def anew(self, refused: str) -> str:
        if self.kept == refused:
            self.read_anew += 1
            self.kept = self.now
        return self.kept


def _seen(auth: Mapping[str, Any], environ: Mapping[str, str] = ENVIRON, call: Call = PAGE) -> Seen:
    with RecordingApi() as api:
        source(api.url, environ).fetch(call, known(auth))
    (seen,) = api.seen
    return seen


def _failure(auth: Mapping[str, Any], environ: Mapping[str, str] = ENVIRON, status: int = 200) -> ExportError:
    with RecordingApi(lambda _: Reply(status=status)) as api, pytest.raises(ExportError) as failure:
        source(api.url, environ).fetch(PAGE, known(auth))
    return failure.value


# --- What is sent -----------------------------------------------------------------------------------------------------


def test_a_bearer_token_is_sent_as_it_is() -> None:
    assert _seen(BEARER).header("Authorization") == "Bearer t0ken.canary"


@pytest.mark.parametrize(
    "name,password",
    [("wp", "abcd efgh"), ("ünï", "pässwörd:with:colons"), ("", "x"), ("a" * 500, "日本")],
)
def test_basic_is_name_and_password_in_utf8(name: str, password: str) -> None:
    auth = BASIC | {"username": name or "env:WP_USER"}
    header = _seen(auth, {"WP_USER": "wp", "WP_PASSWORD": password}).header("Authorization")
    assert header is not None
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == f"{name or 'wp'}:{password}"


def test_a_key_may_be_the_name_of_basic_without_a_password() -> None:
    header = _seen({"type": "http_basic", "username": "env:KEY"}).header("Authorization")
    assert header == "Basic " + base64.b64encode(b"k3y canary:").decode()


def test_the_name_of_basic_may_be_a_secret_too() -> None:
    header = _seen(BASIC).header("Authorization")
    assert header == "Basic " + base64.b64encode(b"wp:pass word canary").decode()


@pytest.mark.parametrize(
    "auth,header,value",
    [
        ({}, "X-Recharge-Access-Token", "k3y canary"),
        ({"name": "Authorization", "prefix": "Token "}, "Authorization", "Token k3y canary"),
        ({"name": "Authorization"}, "Authorization", "k3y canary"),
    ],
)
def test_a_key_stands_in_the_header_that_the_profile_names(auth: dict[str, str], header: str, value: str) -> None:
    seen = _seen(KEY | auth)
    assert seen.header(header) == value
    assert "canary" not in seen.target


@pytest.mark.parametrize("key", ["k3y", "a&b=c", "ü +%/#?", "="])
def test_a_key_in_the_query_is_quoted_and_comes_after_the_rest(key: str) -> None:
    seen = _seen(IN_QUERY, {"KEY": key})
    assert seen.target.startswith(f"{PAGE.path}?{PAGE.query}&api_key=")
    assert parse_qs(urlsplit(seen.target).query)["api_key"] == [key]
    assert seen.header("Authorization") is None


def test_a_key_may_be_the_whole_query() -> None:
    assert _seen(IN_QUERY, {"KEY": "k"}, Call(user_id="anna", path="/all")).target == "/all?api_key=k"


@pytest.mark.parametrize("auth", EVERY_TYPE)
def test_what_the_profile_says_of_a_header_does_not_replace_the_credential(auth: dict[str, Any]) -> None:
    given = {"authorization": "mine", "x-recharge-access-token": "mine"}
    seen = _seen(auth, call=Call(user_id="anna", path="/", headers=given))
    shown = [*(value for _, value in seen.headers), seen.target]
    secret = {"bearer": "t0ken", "http_basic": "Basic ", "api_key": "k3y"}[auth["type"]]
    assert any(secret in value for value in shown)


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value,problem",
    [
        (None, "is not set"),
        ("", "is empty"),
        ("  ", "is empty"),
        ("canary\n", "holds a line end or another control character"),
        ("canary\r\nX-Admin: yes", "holds a line end or another control character"),
        ("can\x00ary", "holds a line end or another control character"),
        ("can\u2028ary", "holds a line end or another control character"),
    ],
)
@pytest.mark.parametrize("auth", [BEARER, KEY, IN_QUERY, {**BASIC, "username": "wp"}])
def test_a_secret_that_is_missing_or_unfit_is_refused_by_its_name_and_nothing_is_sent(
    auth: dict[str, Any], value: str | None, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    reference = auth.get("token") or auth.get("api_key") or auth["password"]
    name = reference.removeprefix("env:")
    environ = {} if value is None else {name: value}
    with RecordingApi() as api:
        with pytest.raises(MembershipsRefused) as failure:
            source(api.url, environ).fetch(PAGE, known(auth))
        assert api.seen == []
    assert f"{reference} {problem}: set the environment variable {name} before the start." in failure.value.reason
    assert f"by=secrets status=none event=refused reason={failure.value.reason}" in caplog.text
    assert "canary" not in failure.value.reason + caplog.text


@pytest.mark.parametrize("auth", [BEARER, KEY])
def test_a_secret_that_no_header_carries_is_refused_by_its_name(auth: dict[str, Any]) -> None:
    failure = _failure(auth, {"API_TOKEN": "cänary", "KEY": "cänary"})
    assert isinstance(failure, MembershipsRefused)
    assert f"{auth.get('token') or auth['api_key']} holds characters that no header carries" in failure.reason
    assert "cänary" not in failure.reason


def test_a_name_with_a_colon_is_refused_as_the_server_would_cut_it() -> None:
    failure = _failure(BASIC, ENVIRON | {"WP_USER": "wp:canary"})
    assert isinstance(failure, MembershipsRefused)
    assert "username" in failure.reason
    assert "canary" not in failure.reason


def test_a_key_is_put_into_the_query_only_when_the_profile_says_so_twice() -> None:
    with RecordingApi() as api:
        with pytest.raises(MembershipsRefused, match="say allow_key_in_url = true"):
            source(api.url, ENVIRON).fetch(PAGE, known(IN_QUERY | {"allow_key_in_url": False}))
        assert api.seen == []


@pytest.mark.parametrize("name", ["X Key", "Host", "Content-Length", "", "X-Key\r\n"])
def test_a_key_cannot_stand_in_a_header_that_is_none_or_the_connections_own(name: str) -> None:
    failure = _failure(KEY | {"name": name or "ü"})
    assert isinstance(failure, MembershipsContractBroken)
    assert "canary" not in failure.reason


@pytest.mark.parametrize(
    "auth,place",
    [
        (BEARER, "the token of env:API_TOKEN"),
        (BASIC, "the login of env:WP_USER and env:WP_PASSWORD"),
        (BASIC | {"username": "wp"}, "the login of env:WP_PASSWORD"),
        ({"type": "http_basic", "username": "env:KEY"}, "the login of env:KEY"),
        (KEY, "the key of env:KEY"),
        (IN_QUERY, "the key of env:KEY"),
    ],
)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_place_of_the_secret_and_never_what_it_holds(
    auth: dict[str, Any], place: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    failure = _failure(auth, status=status)
    assert isinstance(failure, MembershipsRefused)
    assert place in failure.reason
    assert "SERVICE_SECRET" not in failure.reason
    assert f"by=memberships_api status={status} event=refused reason={failure.reason}" in caplog.text
    assert "canary" not in failure.reason + caplog.text


@pytest.mark.parametrize(
    "reply",
    [
        Reply(broken=True),
        Reply(headers=[("no header at all", "x")]),
        *(Reply(status=status) for status in (200, 301, 400, 401, 403, 404, 410, 429, 500)),
    ],
)
@pytest.mark.parametrize("auth", EVERY_TYPE)
def test_no_secret_gets_into_a_log_or_an_error_whatever_urllib3_would_write(
    auth: dict[str, Any], reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.Logger.manager.loggerDict):
        if name.startswith("urllib3"):
            caplog.set_level(logging.DEBUG, logger=name)
    told = ""
    for call in (PAGE, A_CALL_LATER):
        with RecordingApi(lambda _: reply) as api:
            try:
                source(api.url, ENVIRON).fetch(call, known(auth))
            except ExportError as error:
                told += error.reason + "".join(traceback.format_exception(error))
    for private in ("canary", base64.b64encode(b"wp:pass word canary").decode(), "k3y", "pass+word"):
        assert private not in told + caplog.text


def test_what_a_call_is_made_of_is_not_shown_either() -> None:
    from memberships_export.adapters.http.bounded import Outgoing  # noqa: PLC0415
    from memberships_export.adapters.source.auth import Credential  # noqa: PLC0415

    shown = repr(Credential(headers={"A": "canary"}, query="k=canary", made_of=("canary",)))
    assert "canary" not in shown + repr(Outgoing(target="/?k=canary", headers={"A": "canary"}, body=b"canary"))


# --- Rotation ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", EVERY_TYPE)
def test_after_a_401_a_secret_of_the_backend_is_read_anew_at_once_and_the_call_repeated(auth: dict[str, Any]) -> None:
    secret = Rotated("old-secret")
    named = {key: "secret:club/api" if value in {"env:API_TOKEN", "env:WP_PASSWORD", "env:KEY"} else value
             for key, value in auth.items()} | ({"username": "wp"} if auth is BASIC else {})  # fmt: skip
    basic = {word: base64.b64encode(f"wp:{word}-secret".encode()).decode() for word in ("old", "new")}

    def judged(seen: Seen) -> Reply:
        shown = f"{seen.headers} {seen.target}"
        return Reply() if "new-secret" in shown or basic["new"] in shown else Reply(status=401)

    with RecordingApi(judged) as api:
        asks = asks_with(api.url, ProfileSecrets({}, {"club/api": secret}.__getitem__))
        with pytest.raises(MembershipsRefused, match="secret:club/api"):
            asks.fetch(PAGE, known(named))
        assert (len(api.seen), secret.read_anew) == (1, 1), "the same secret is not shown twice"
        secret.now = "new-secret"
        assert asks.fetch(PAGE, known(named)).body == b"[]"
        assert asks.fetch(PAGE, known(named)).body == b"[]"
    assert len(api.seen) == 4, "one more call for the rotation, and none after it"


def test_the_second_401_is_a_refusal() -> None:
    secret = Rotated("old")
    with RecordingApi(lambda _: Reply(status=401)) as api:
        secret.now = "new"
        with pytest.raises(MembershipsRefused):
            asks_with(api.url, ProfileSecrets({}, lambda _: secret)).fetch(PAGE, known(BEARER | {"token": "secret:x"}))
        assert [seen.header("Authorization") for seen in api.seen] == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize("status", [403, 500, 200])
def test_only_a_401_lets_a_secret_be_read_anew(status: int) -> None:
    secret = Rotated("old")
    with RecordingApi(lambda _: Reply(status=status)) as api:
        asks = asks_with(api.url, ProfileSecrets({}, lambda _: secret))
        try:
            asks.fetch(PAGE, known(BEARER | {"token": "secret:x"}))
        except ExportError:
            assert status != 200
        assert (len(api.seen), secret.read_anew) == (1, 0)


def test_a_variable_cannot_change_while_we_run_so_a_401_is_one_call() -> None:
    environ = dict(ENVIRON)
    with RecordingApi(lambda _: Reply(status=401)) as api:
        with pytest.raises(MembershipsRefused):
            source(api.url, environ).fetch(PAGE, known(BEARER))
        assert len(api.seen) == 1


# --- At the start -----------------------------------------------------------------------------------------------------


def test_at_the_start_each_secret_that_is_not_there_is_named_with_what_to_do() -> None:
    secrets = ProfileSecrets({"EMPTY": "", "LINE": "x\n", "GOOD": "x"})
    assert list(secrets.problems(["env:GOOD", "env:AWAY", "env:EMPTY", "env:LINE", "secret:club/api"])) == [
        "env:AWAY is not set: set the environment variable AWAY before the start.",
        "env:EMPTY is empty: set the environment variable EMPTY before the start.",
        "env:LINE holds a line end or another control character: set the environment variable LINE before the start.",
        (
            "secret:club/api is a secret of AWS Secrets Manager, and only a service on AWS reads those: name a "
            "variable instead, as env:NAME, and set it."
        ),
    ]


def test_on_aws_a_secret_is_not_called_for_at_the_start() -> None:
    def never(_: str) -> Rotated:
        raise AssertionError

    assert list(ProfileSecrets({}, never).problems(["secret:club/api"])) == []


def test_on_one_machine_a_secret_of_aws_is_refused_in_the_middle_too() -> None:
    failure = _failure(BEARER | {"token": "secret:club/api"})
    assert isinstance(failure, MembershipsRefused)
    assert "only a service on AWS reads those" in failure.reason


@pytest.mark.parametrize(
    "auth,words",
    [
        (BASIC | {"username": "a:b"}, "a name with a colon"),
        (
            {
                "type": "oauth2_client_credentials",
                "access_token_url": "http://id.example.org/token",
                "client_id": "club",
                "client_secret": "env:CS",
            },
            "auth.access_token_url: 'http://id.example.org/token' uses plain http to another machine",
        ),
    ],
)
def test_what_can_never_work_is_found_without_a_secret(auth: dict[str, Any], words: str) -> None:
    (problem,) = auth_problems(msgspec.convert(auth, Auth))
    assert words in problem


@pytest.mark.parametrize("auth", [*EVERY_TYPE, {"type": "service_jwt"}])
def test_a_sound_table_has_no_problem(auth: dict[str, Any]) -> None:
    assert list(auth_problems(msgspec.convert(auth, Auth))) == []
