"""Plain http to hosts that an operator names: everything that may call them knows, and nothing else."""

import pytest

from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.bootstrap.identity import user_tokens
from memberships_export.bootstrap.parts import access_problems, memberships, sendgrid
from memberships_export.domain.source.profile import (
    Column,
    OAuth2ClientCredentials,
    Profile,
    Request,
    Rows,
    SinglePage,
)
from memberships_export.settings import Settings, SettingsError, read_settings

NAMED = read_settings({"MEMBERSHIPS_EXPORT_PLAIN_HTTP_HOSTS": "members-api, Keycloak"})
OAUTH = Profile(
    version=1,
    request=Request(path="/members/{user.id}"),
    auth=OAuth2ClientCredentials(
        access_token_url="http://keycloak:8080/token", client_id="export", client_secret="env:SECRET"
    ),
    rows=Rows(path="", key=("id",)),
    paginator=SinglePage(),
    columns=(Column(name="id"),),
)
SECRETS = ProfileSecrets({"SECRET": "s"})


def test_hosts_are_compared_in_lower_case() -> None:
    assert NAMED.plain_http == {"members-api", "keycloak"}
    assert Settings().plain_http == frozenset()


@pytest.mark.parametrize(
    "text", ["*", "*.example.org", "members-api:8080", "http://members-api", "a,,b", "a,", "[::1]", "a/b", "ä.example"]
)
def test_what_is_no_whole_name_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="must be names of hosts like members-api, separated by commas"):
        read_settings({"MEMBERSHIPS_EXPORT_PLAIN_HTTP_HOSTS": text})


def test_the_memberships_api_may_be_a_container_beside_this_one() -> None:
    memberships(NAMED, "http://members-api:8080", lambda: "s" * 32, SECRETS)
    with pytest.raises(ValueError, match=r"MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL: .* uses plain http to another machine"):
        memberships(Settings(), "http://members-api:8080", lambda: "s" * 32, SECRETS)


def test_so_may_be_what_makes_its_tokens() -> None:
    assert access_problems(OAUTH, SECRETS, NAMED.plain_http) == []
    assert "uses plain http to another machine" in access_problems(OAUTH, SECRETS)[0]


@pytest.mark.parametrize("name", ["JWKS_URL", "INTROSPECTION_URL", "USERINFO_URL"])
def test_so_may_be_the_identity_provider_of_the_users(name: str) -> None:
    named = {"MEMBERSHIPS_EXPORT_PLAIN_HTTP_HOSTS": "keycloak"}
    url = {f"MEMBERSHIPS_EXPORT_{name}": "http://keycloak:8080/realms/club"}
    if name == "INTROSPECTION_URL":
        url |= {
            "MEMBERSHIPS_EXPORT_INTROSPECTION_CLIENT_ID": "x",
            "MEMBERSHIPS_EXPORT_INTROSPECTION_CLIENT_SECRET": "y",
        }
    if name == "USERINFO_URL":
        url |= {"MEMBERSHIPS_EXPORT_JWT_SECRET": "s" * 32}

    user_tokens(read_settings(named | url))
    with pytest.raises(ValueError, match=f"MEMBERSHIPS_EXPORT_{name}"):
        user_tokens(read_settings(url))


def test_mails_never_go_out_in_the_clear() -> None:
    url = {"MEMBERSHIPS_EXPORT_SENDGRID_URL": "http://members-api:8080"}
    settings = read_settings({"MEMBERSHIPS_EXPORT_PLAIN_HTTP_HOSTS": "members-api"} | url)

    with pytest.raises(ValueError, match="MEMBERSHIPS_EXPORT_SENDGRID_URL"):
        sendgrid(settings, lambda: "key")
