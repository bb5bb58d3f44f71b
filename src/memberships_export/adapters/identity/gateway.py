"""Users whom an Application Load Balancer has logged in: it tells of them in a signed header.

As AWS documents it: a JWT (ES256) whose parts are padded, with `signer`, `client`, `iss` and `exp` in its header and
what the identity provider's userinfo said as its claims
(https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html).
"""

import re
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from memberships_export.adapters.identity.claims import ExpectedClaims, only_verified
from memberships_export.adapters.identity.endpoint import Ask, Endpoint, Unanswered
from memberships_export.adapters.identity.jwt import TokenRules
from memberships_export.adapters.identity.kept_answers import Answered, Keeping, KeptAnswers
from memberships_export.adapters.identity.telling import PROVIDER_UNANSWERED, Telling
from memberships_export.service.user.callers import Caller, IdentityUnavailable, InvalidToken

HEADER = "x-amzn-oidc-data"
_VARIABLE = "MEMBERSHIPS_EXPORT_ALB_ARN"
_ARN = re.compile(
    r"arn:(?P<partition>aws|aws-us-gov):elasticloadbalancing:(?P<region>[a-z]{2}(-[a-z]+)+-[0-9]{1,2}):[0-9]{12}"
    r":loadbalancer/app/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}"
)
_KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEYS = {
    "aws": "https://public-keys.auth.elb.{region}.amazonaws.com",
    "aws-us-gov": "https://s3-{region}.amazonaws.com/aws-elb-public-keys-prod-{region}",
}
_A_DAY = 86_400
_LONGEST_HEADER = 16 * 1024  # characters; AWS lets 11 KiB of claims through
_UNKNOWN = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})  # S3's answer for what is not there is 403


class Headers(Protocol):
    """All headers of one request."""

    def getlist(self, key: str) -> Sequence[str]:
        """Return each value that was sent under this name, whatever its case."""
        ...


class WithHeaders(Protocol):
    """A request, as far as it counts here."""

    @property
    def headers(self) -> Headers:
        """Its headers."""
        ...


def keys_of(arn: str) -> Endpoint:
    """Return where AWS publishes the keys of the balancers of this one's region. Raises ValueError."""
    found = _ARN.fullmatch(arn)
    if found is None:
        raise ValueError(
            f"{_VARIABLE} is {arn!r}, but must be the ARN of an Application Load Balancer like arn:aws:"
            "elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/name/0123456789abcdef. Of the partitions, "
            "aws and aws-us-gov are known; where those of China publish their keys, AWS does not document."
        )
    return Endpoint(_VARIABLE, _KEYS[found["partition"]].format(region=found["region"]))


class BalancedUsers:
    """Tells from the signed header who sends a request. No other header is looked at, nor any bearer token."""

    def __init__(self, arn: str, keys: Endpoint, expected: ExpectedClaims) -> None:
        """`expected.audiences` are the client ids that the balancer may have at the identity provider."""
        self._arn, self._keys, self._expected = arn, keys, expected
        self._rules = TokenRules(("ES256",), expected, _LONGEST_HEADER)
        self._known = KeptAnswers[EllipticCurvePublicKey](Keeping(longest=_A_DAY, most=100))
        self._telling = Telling(f"The list of load balancers' keys at {keys.where}", PROVIDER_UNANSWERED)

    def __call__(self, request: WithHeaders) -> Caller:
        """Find out who sends a request. Raises InvalidToken, IdentityUnavailable."""
        values = request.headers.getlist(HEADER)
        if not values:
            raise InvalidToken(f"There is no header {HEADER}: the load balancer has logged nobody in for this path.")
        if len(values) > 1:
            raise InvalidToken(f"The header {HEADER} was sent more than once.")
        return self._caller(values[0])

    def _caller(self, token: str) -> Caller:
        header = self._rules.header(token)
        if header.get("signer") != self._arn:  # before any call: all balancers of a region share its keys
            raise InvalidToken("The header was signed by another load balancer (signer) than the one that is set here.")
        claims = self._rules.claims(token, self._key(header.get("kid")))
        return only_verified(self._expected.caller(_with_header(claims, header), time.time()))

    def _key(self, key_id: object) -> EllipticCurvePublicKey:
        if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):  # it becomes a part of a URL
            raise InvalidToken("The header does not name its key (kid) as load balancers do.")
        return self._known.about(key_id, lambda: self._read(key_id))

    def _read(self, key_id: str) -> Answered[EllipticCurvePublicKey]:
        try:
            return Answered(_read_key(self._keys.read(Ask(more=f"/{key_id}")).content), _A_DAY)
        except Unanswered as error:
            self._telling.tell(Unanswered(error.cause, error.status) if error.status in _UNKNOWN else error)
            if error.status in _UNKNOWN:
                raise InvalidToken("The header names a key (kid) that no load balancer of the region has.") from error
            raise IdentityUnavailable("The keys of the load balancer cannot be read at the moment.") from error


def _with_header(claims: Mapping[str, Any], header: Mapping[str, Any]) -> Mapping[str, Any]:
    """Judge by what the balancer says of itself: the claims are those of the userinfo endpoint."""
    return {**claims, "exp": header.get("exp"), "iss": header.get("iss"), "aud": header.get("client")}


def _read_key(content: bytes) -> EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(content)
    except Exception as error:  # whatever strange bytes do to the parser
        raise Unanswered("answers with something that is no public key", HTTPStatus.OK, lasting=True) from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise Unanswered("answers with a key that is not for ES256", HTTPStatus.OK, lasting=True)
    return key
