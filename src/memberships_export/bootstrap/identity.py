"""Who may ask: what the API, and the bundled memberships API, believe of a request."""

from datetime import timedelta

from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.jwks import JwksVerifier, KeySetReader
from memberships_export.adapters.identity.jwks_http import KeySetHttp
from memberships_export.adapters.identity.jwt import AnyOf, SharedSecretVerifier
from memberships_export.adapters.identity.remote_keys import RemoteKeys
from memberships_export.adapters.identity.service_tokens import mint_user_token
from memberships_export.adapters.mail.sendgrid.events import SendGridWebhook
from memberships_export.bootstrap.backend import load_secrets
from memberships_export.bootstrap.parts import ISSUER
from memberships_export.service.mail_events.webhook import MailWebhook
from memberships_export.service.user.callers import TokenVerifier
from memberships_export.settings import Settings


def user_tokens(settings: Settings) -> TokenVerifier:
    """Who may use the export routes: holders of a user's token. One is enough for a process: it reads the key set."""
    expected = ExpectedClaims(
        audiences=frozenset(settings.jwt_audiences),
        issuer=settings.jwt_issuer,
        user_id=settings.jwt_user_claim,
        email=settings.jwt_email_claim,
        email_verified=settings.jwt_email_verified_claim,
    )
    if settings.jwks_url:
        return JwksVerifier(
            RemoteKeys(KeySetReader(KeySetHttp(settings.jwks_url, plain_http=settings.plain_http))), expected
        )
    return SharedSecretVerifier(load_secrets(settings).jwt(), expected)


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


def membership_tokens(settings: Settings, users: TokenVerifier) -> TokenVerifier:
    """Who may use the bundled memberships API: users, and our worker on behalf of one user."""
    expected = ExpectedClaims(audiences=frozenset({settings.service_audience}), issuer=ISSUER)
    return AnyOf([SharedSecretVerifier(load_secrets(settings).service(), expected), users])


def mail_webhook(settings: Settings) -> MailWebhook | None:
    """Return the reader of the mail service's signed events, None when its key is not set."""
    return SendGridWebhook(settings.sendgrid_webhook_key) if settings.sendgrid_webhook_key else None
