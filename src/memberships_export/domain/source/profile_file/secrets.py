"""Which secrets a profile names. What they hold is never here."""

import re

from memberships_export.domain.source.profile import (
    ApiKey,
    Bearer,
    HttpBasic,
    OAuth2ClientCredentials,
    Profile,
    ServiceJwt,
)

_REFERENCES = ("env:", "secret:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def is_reference(text: str) -> bool:
    """Tell a place where a secret is from a text that stands for itself, such as the name of a user."""
    return text.startswith(_REFERENCES)


def problem_with(secret: str | None) -> str | None:
    """Say why this cannot be a secret, without showing it; None when it can."""
    if secret is None:
        return "is not set"
    if not secret.strip():
        return "is empty"
    return "holds a line end or another control character" if _CONTROL.search(secret) else None


def secrets_named(profile: Profile) -> tuple[str, ...]:
    """Return each secret that the profile names, once: `env:NAME` or `secret:ID`, in the order of the keys."""
    match profile.auth:
        case ServiceJwt():
            texts: tuple[str, ...] = ()  # its secret is a setting
        case Bearer(token=token):
            texts = (token,)
        case HttpBasic(username=name, password=secret) | OAuth2ClientCredentials(client_id=name, client_secret=secret):
            texts = (name, secret)
        case ApiKey(api_key=key):
            texts = (key,)
    return tuple(dict.fromkeys(filter(is_reference, texts)))
