"""The key set of the identity provider over HTTP."""

from collections.abc import Container

from memberships_export.adapters.identity.endpoint import Ask, Endpoint, Limits

_AS_EVER = Limits()
_KEY_SET = Ask(headers={"Accept": "application/jwk-set+json, application/json"})


class KeySetHttp:
    """Reads the key set from one configured URL, whatever media type it is said to have."""

    def __init__(self, jwks_url: str, limits: Limits = _AS_EVER, plain_http: Container[str] = ()) -> None:
        """Raise ValueError when the URL is not one to take keys from; `plain_http`: see outgoing_url."""
        self._endpoint = Endpoint("MEMBERSHIPS_EXPORT_JWKS_URL", jwks_url, limits, plain_http)
        self.where = self._endpoint.where

    def read(self) -> bytes:
        """Read the body of the set. Raises Unanswered."""
        return self._endpoint.read(_KEY_SET).content
