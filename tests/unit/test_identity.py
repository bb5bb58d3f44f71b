"""The settings choose how users are known."""

import pytest

from memberships_export.adapters.identity.gateway import BalancedUsers
from memberships_export.adapters.identity.introspection import IntrospectedTokens
from memberships_export.adapters.identity.jwks import JwksVerifier
from memberships_export.adapters.identity.jwt import AnyOf, SharedSecretVerifier
from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.adapters.identity.userinfo import WithUserinfo
from memberships_export.bootstrap.identity import membership_tokens, user_tokens
from memberships_export.settings import Settings, read_settings

SECRET = "s" * 32
INTROSPECTION = {
    "INTROSPECTION_URL": "https://id.example.org/introspect",
    "INTROSPECTION_CLIENT_ID": "exports",
    "INTROSPECTION_CLIENT_SECRET": "s3cret",
}
ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/club/0123456789abcdef"
ALB = {"ALB_ARN": ARN, "JWT_AUDIENCE": "client"}
USERINFO = {"USERINFO_URL": "https://id.example.org/userinfo"}


def settings(**environ: str) -> Settings:
    return read_settings({f"MEMBERSHIPS_EXPORT_{name}": value for name, value in environ.items()})


@pytest.mark.parametrize(
    "environ, kind",
    [
        ({"JWT_SECRET": SECRET}, SharedSecretVerifier),
        ({"JWKS_URL": "https://id.example.org/keys"}, JwksVerifier),
        (INTROSPECTION, IntrospectedTokens),
        (ALB, BalancedUsers),
        (INTROSPECTION | USERINFO, WithUserinfo),
        ({"JWT_SECRET": SECRET} | USERINFO, WithUserinfo),
    ],
)
def test_each_way_of_knowing_users_is_chosen_by_its_setting(environ: dict[str, str], kind: type) -> None:
    assert type(user_tokens(settings(**environ))) is kind


@pytest.mark.parametrize("arn", [ARN.replace(":aws:", ":aws-cn:"), "my balancer"])
def test_a_load_balancer_that_cannot_be_pinned_is_refused_by_name(arn: str) -> None:
    with pytest.raises(ValueError, match=r"MEMBERSHIPS_EXPORT_ALB_ARN is .* but must be the ARN"):
        user_tokens(settings(**ALB | {"ALB_ARN": arn}))


@pytest.mark.parametrize("environ", [ALB, INTROSPECTION | USERINFO, {"JWT_SECRET": SECRET}])
def test_the_bundled_memberships_api_answers_the_worker_however_users_are_known(environ: dict[str, str]) -> None:
    made = settings(SERVICE_SECRET=SECRET, **environ)
    tokens = membership_tokens(made, user_tokens(made))
    worker = ServiceTokens(SECRET, "memberships-export", "memberships-api")
    assert tokens.verify(worker("anna")).user_id == "anna"
    assert isinstance(tokens, AnyOf) is (environ is not ALB)
