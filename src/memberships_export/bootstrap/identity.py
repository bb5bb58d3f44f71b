"""Who may ask: what the API, and the bundled memberships API, believe of a request."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.endpoint import Endpoint
from memberships_export.adapters.identity.gateway import BalancedUsers, keys_of
from memberships_export.adapters.identity.introspection import Client, IntrospectedTokens
from memberships_export.adapters.identity.jwks import JwksVerifier, KeySetReader
from memberships_export.adapters.identity.jwks_http import KeySetHttp
from memberships_export.adapters.identity.jwt import AnyOf, SharedSecretVerifier
from memberships_export.adapters.identity.remote_keys import RemoteKeys
from memberships_export.adapters.identity.service_tokens import mint_user_token
from memberships_export.adapters.identity.userinfo import WithUserinfo
from memberships_export.adapters.mail.sendgrid.events import SendGridWebhook
from memberships_export.bootstrap.backend import load_secrets
from memberships_export.bootstrap.parts import ISSUER
from memberships_export.bootstrap.starting import problems_of_url, refused
from memberships_export.service.mail_events.webhook import MailWebhook
from memberships_export.service.user.callers import TokenVerifier
from memberships_export.settings import Problem, Settings, variable


def problems_of_api(settings: Settings) -> Iterator[Problem]:
    """Find what is wrong with what tells users and mail events, before anything is made of it."""
    for name in ("jwks_url", "introspection_url", "userinfo_url"):
        yield from problems_of_url(settings, name, query_allowed=True)
    if settings.alb_arn:
        yield from refused(partial(keys_of, settings.alb_arn), {"alb_arn"})
    yield from refused(partial(mail_webhook, settings), {"sendgrid_webhook_key"})


def user_tokens(settings: Settings) -> TokenVerifier | BalancedUsers:
    """Who may use the export routes. One is enough for a process: it keeps what the identity provider says."""
    expected = _expected(settings)
    if settings.alb_arn:
        return BalancedUsers(settings.alb_arn, keys_of(settings.alb_arn), expected)
    tokens = _tokens(settings, expected)
    if settings.userinfo_url:
        return WithUserinfo(tokens, _endpoint(settings, "userinfo_url"), expected)
    return tokens


def _expected(settings: Settings) -> ExpectedClaims:
    return ExpectedClaims(
        audiences=frozenset(settings.jwt_audiences),
        issuer=settings.jwt_issuer,
        user_id=settings.jwt_user_claim,
        email=settings.jwt_email_claim,
        email_verified=settings.jwt_email_verified_claim,
    )


def _tokens(settings: Settings, expected: ExpectedClaims) -> TokenVerifier:
    if settings.introspection_url:
        endpoint = _endpoint(settings, "introspection_url")
        client = Client(settings.introspection_client_id or "", settings.introspection_client_secret or "")
        return IntrospectedTokens(endpoint, client, expected)
    if settings.jwks_url:
        return JwksVerifier(
            RemoteKeys(KeySetReader(KeySetHttp(settings.jwks_url, plain_http=settings.plain_http))), expected
        )
    return SharedSecretVerifier(load_secrets(settings).jwt(), expected)


def _endpoint(settings: Settings, name: str) -> Endpoint:
    return Endpoint(variable(name), getattr(settings, name), plain_http=settings.plain_http)


def mint_token(settings: Settings, user_id: str, email: str, lifetime: timedelta) -> str:
    """Make a user's token with the HS256 secret of this installation, to try the API with."""
    return mint_user_token(
        secret=load_secrets(settings).jwt(),
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audiences[0],
        user_id=user_id,
        email=email,
        lifetime=lifetime,
        user_claim=settings.jwt_user_claim,
        email_claim=settings.jwt_email_claim,
        email_verified_claim=settings.jwt_email_verified_claim,
    )


def membership_tokens(settings: Settings, users: TokenVerifier | BalancedUsers) -> TokenVerifier:
    """Who may use the bundled memberships API: our worker on behalf of one user, and users who have tokens."""
    expected = ExpectedClaims(audiences=frozenset({settings.service_audience}), issuer=ISSUER)
    worker = SharedSecretVerifier(load_secrets(settings).service(), expected, most=0)  # each is shown once
    return worker if isinstance(users, BalancedUsers) else AnyOf([worker, users])


def mail_webhook(settings: Settings) -> MailWebhook | None:
    """Return the reader of the mail service's signed events, None when its key is not set."""
    return SendGridWebhook(settings.sendgrid_webhook_key) if settings.sendgrid_webhook_key else None
