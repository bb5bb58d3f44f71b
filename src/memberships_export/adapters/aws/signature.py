"""Signature Version 4 of AWS: the headers that prove who sends a POST to the root of a service.

Source: "Create a signed AWS API request" in AWS's guide to Identity and Access Management. Of what it describes there
is only what AWS's JSON protocols need: no path, no query, a body that is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from hmac import digest

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs, and for what: requests to one service in one region."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)  # of credentials that end
    region: str
    service: str

    def signed(self, headers: Mapping[str, str], body: bytes, at: datetime) -> dict[str, str]:
        """Return the headers with those that sign them and the body. `headers` name the host; `at` is in UTC.

        AWS takes a signature for five minutes, so each try is signed anew.
        """
        stamp = f"{at:%Y%m%dT%H%M%SZ}"
        token = {"X-Amz-Security-Token": self.token} if self.token else {}
        sent = {**headers, "X-Amz-Date": stamp, **token}
        canonical = sorted((name.lower(), " ".join(value.split())) for name, value in sent.items())
        names = ";".join(name for name, _ in canonical)
        lines = [f"{name}:{value}" for name, value in canonical]
        request = "\n".join(["POST", "/", "", *lines, "", names, sha256(body).hexdigest()])
        scope = f"{stamp[:8]}/{self.region}/{self.service}/aws4_request"
        text = "\n".join([_ALGORITHM, stamp, scope, sha256(request.encode()).hexdigest()])
        proof = _hmac(self._key(stamp[:8]), text).hex()
        credential = f"{self.access_key}/{scope}"
        return {
            **sent,
            "Authorization": f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={proof}",
        }

    def _key(self, day: str) -> bytes:
        """Return the key of the day, which is of no use for another day, region or service."""
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, self.region, self.service, "aws4_request"):
            key = _hmac(key, part)
        return key


def _hmac(key: bytes, text: str) -> bytes:
    return digest(key, text.encode(), "sha256")
