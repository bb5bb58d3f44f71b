"""The signed header of an Application Load Balancer, as AWS documents it, and what others may make of it."""

import json
import logging
from collections.abc import Callable, Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.datastructures import Headers

from memberships_export.adapters.identity.claims import ExpectedClaims
from memberships_export.adapters.identity.endpoint import Endpoint, Limits
from memberships_export.adapters.identity.gateway import BalancedUsers, keys_of
from memberships_export.service.user.callers import Caller, IdentityUnavailable, InvalidToken
from rig.services.fake_identity_provider import FakeIdentityProvider
from rig.services.recording_api import Reply
from tests.fakes.balancer_tokens import ANNA, ARN, KID, ec_pem, header, part, token
from tests.fakes.forged_tokens import EC_KEY, RSA_KEY, pem, soon

OTHER_KID = "00000000-0000-4000-8000-000000000000"
EXPECTED = ExpectedClaims(audiences=frozenset({"the client id"}), issuer="https://id.example.org")
STRANGER = ec.generate_private_key(ec.SECP256R1())
Forge = Callable[[], str]


class Request:
    """The headers of a request, each as it was sent."""

    def __init__(self, *headers: tuple[str, str]) -> None:
        self.headers = Headers(raw=[(name.lower().encode(), value.encode("latin-1")) for name, value in headers])


@pytest.fixture
def aws() -> Iterator[FakeIdentityProvider]:
    """Where AWS publishes the keys of a region."""
    with FakeIdentityProvider() as made:
        made.keys |= {KID: ec_pem(EC_KEY)}
        yield made


def balanced(aws: FakeIdentityProvider, expected: ExpectedClaims = EXPECTED) -> BalancedUsers:
    return BalancedUsers(ARN, Endpoint("MEMBERSHIPS_EXPORT_ALB_ARN", aws.keys_url), expected)


def who(users: BalancedUsers, value: str) -> Caller:
    return users(Request(("x-amzn-oidc-data", value)))


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("name", ["a", "ab", "abc", "abcd"])
def test_a_signed_header_names_its_user_however_it_is_padded(
    aws: FakeIdentityProvider,
    padded: bool,  # noqa: FBT001
    name: str,
) -> None:
    value = token(ANNA | {"name": name}, padded=padded)
    assert ("=" in value) is padded
    assert who(balanced(aws), value) == Caller("anna", "anna@example.org", email_verified=True)


def test_a_signed_header_tells_language_and_zone_of_its_user(aws: FakeIdentityProvider) -> None:
    caller = who(balanced(aws), token(ANNA | {"locale": "de-CH", "zoneinfo": "Europe/Zurich"}))
    assert (caller.locale, caller.time_zone) == ("de-CH", "Europe/Zurich")


def test_the_key_is_read_once(aws: FakeIdentityProvider) -> None:
    users = balanced(aws)
    for _ in range(3):
        who(users, token())
    assert [seen.target for seen in aws.seen] == [f"/keys/{KID}"]


def test_claims_of_a_long_list_of_groups_pass(aws: FakeIdentityProvider) -> None:
    assert who(balanced(aws), token(ANNA | {"groups": "x" * 8000})).user_id == "anna"


def test_what_the_claims_say_of_expiry_issuer_and_audience_is_not_what_the_balancer_says(
    aws: FakeIdentityProvider,
) -> None:
    users = balanced(aws)
    theirs = ANNA | {"exp": soon(9999), "iss": "https://id.example.org", "aud": "the client id"}
    for changes in ({"exp": soon(-31)}, {"exp": None}, {"iss": None}, {"client": None}, {"client": "shop"}):
        with pytest.raises(InvalidToken):
            who(users, token(theirs, **changes))
    assert who(users, token(ANNA | {"exp": 1, "iss": "x", "aud": "x"})).user_id == "anna"


@pytest.mark.parametrize("verified", [None, False, "false", 1])
def test_an_address_of_which_nobody_says_that_it_is_verified_is_not(
    aws: FakeIdentityProvider, verified: object
) -> None:
    assert who(balanced(aws), token(ANNA | {"email_verified": verified})).email_verified is False


FORGED: dict[str, Forge] = {
    "empty": lambda: "",
    "no token": lambda: "anna",
    "two tokens in one header": lambda: f"{token()}, {token()}",
    "another balancer of the same region": lambda: token(signer=ARN[:-1] + "0"),
    "no signer": lambda: token(signer=None),
    "list of signers": lambda: token(signer=[ARN]),
    "longer signer": lambda: token(signer=ARN + "0"),
    "other issuer": lambda: token(iss="https://evil.example.org"),
    "other client": lambda: token(client="evil"),
    "expired": lambda: token(exp=soon(-31)),
    "no expiry": lambda: token(exp=None),
    "expiry in milliseconds": lambda: token(exp=soon(120) * 1000),
    "no user": lambda: token(ANNA | {"sub": None}),
    "object as user": lambda: token(ANNA | {"sub": {"id": 1}}),
    "wrong key": lambda: token(key=STRANGER),
    "unknown key": lambda: token(kid=OTHER_KID),
    "no signature": lambda: token().rpartition(".")[0] + ".",
    "signature of zeros": lambda: f"{token().rpartition('.')[0]}.{part(bytes(64))}",
    "claims exchanged": lambda: ".".join([*token().split(".")[:1], part(ANNA | {"sub": "ben"}), token().split(".")[2]]),
    "alg none": lambda: f"{part(header(alg='none'))}.{part(ANNA)}.",
    "HS256 with the public key": lambda: jwt.api_jws.PyJWS().encode(
        json.dumps(ANNA).encode(), "x" * 40, "HS256", headers=header(alg="HS256")
    ),
    "RS256": lambda: jwt.encode(ANNA, RSA_KEY, algorithm="RS256", headers=header(alg="RS256")),
    "critical header": lambda: token(crit=["exp"]),
    "other type": lambda: token(typ="logout+jwt"),
    "claims are a list": lambda: token([ANNA]),
    "huge": lambda: token(ANNA | {"x": "x" * 20_000}),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_header_that_this_balancer_did_not_sign_for_us_now_is_refused(
    aws: FakeIdentityProvider, forge: Forge
) -> None:
    with pytest.raises(InvalidToken):
        who(balanced(aws), forge())


KEY_IDS = [
    "../../etc/passwd", "%2e%2e/x", "", "x", KID.upper(), f"{KID}/..", f"{KID}?x", f"{KID}#", f"{KID}\n", f" {KID}", 7,
    None, [KID], {"kid": KID}, KID.replace("-", ""), KID[:-1] + "\u0661", f"{KID}@evil.example",
]  # fmt: skip


@pytest.mark.parametrize("key_id", KEY_IDS)
def test_a_key_id_of_any_other_form_never_becomes_a_part_of_a_url(aws: FakeIdentityProvider, key_id: object) -> None:
    with pytest.raises(InvalidToken, match=r"does not name its key|not a well-formed JWT"):
        who(balanced(aws), token(kid=key_id))
    assert aws.seen == []


def test_nobody_is_asked_about_the_header_of_another_balancer(aws: FakeIdentityProvider) -> None:
    with pytest.raises(InvalidToken, match="another load balancer"):
        who(balanced(aws), token(signer=ARN.replace("club", "evil")))
    assert aws.seen == []


def test_a_header_that_was_sent_twice_is_refused(aws: FakeIdentityProvider) -> None:
    twice = Request(("x-amzn-oidc-data", token()), ("X-Amzn-Oidc-Data", token()))
    with pytest.raises(InvalidToken, match="more than once"):
        balanced(aws)(twice)


def test_no_other_header_is_believed(aws: FakeIdentityProvider) -> None:
    others = [("x-amzn-oidc-identity", "anna"), ("x-amzn-oidc-accesstoken", token())]
    with pytest.raises(InvalidToken, match="no header x-amzn-oidc-data"):
        balanced(aws)(Request(*others, ("Authorization", f"Bearer {token()}"), ("Cookie", token())))
    caller = balanced(aws)(Request(("x-amzn-oidc-identity", "ben"), ("x-amzn-oidc-data", token())))
    assert caller.user_id == "anna"


UNUSABLE: dict[str, tuple[Reply, str]] = {
    "HTML": (
        Reply(b"<html>canary</html>"),
        "status=200 event=refused reason={} answers with something that is no public key.",
    ),
    "an RSA key": (Reply(pem(RSA_KEY)), "status=200 event=refused reason={} answers with a key that is not for ES256."),
    "a key on another curve": (
        Reply(ec_pem(ec.generate_private_key(ec.SECP384R1()))),
        "status=200 event=refused reason={} answers with a key that is not for ES256.",
    ),
    "redirect": (Reply(b"", 302, [("Location", "/")]), "status=302 event=refused reason={} redirects"),
    "huge": (Reply(b" " * (1024 * 1024 + 1)), "status=200 event=refused reason={} is larger than"),
    "down": (Reply(b"", 503), "status=503 event=provider_unanswered reason={} answers with status 503."),
    "broken": (Reply(broken=True), "status=none event=provider_unanswered reason={} broke off its answer."),
}


@pytest.mark.parametrize("reply, line", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_key_that_cannot_be_read_lets_nobody_in_and_is_one_line(
    aws: FakeIdentityProvider, caplog: pytest.LogCaptureFixture, reply: Reply, line: str
) -> None:
    aws.instead = reply
    users = balanced(aws)
    for _ in range(2):
        with pytest.raises(IdentityUnavailable):
            who(users, token())
    (record,) = caplog.records
    where = f"The list of load balancers' keys at 127.0.0.1:{aws.port}/keys"
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith(f"by=identity_provider {line.format(where)}")
    assert "canary" not in record.getMessage()

    aws.instead = None
    assert who(users, token()).user_id == "anna"


@pytest.mark.parametrize("status", [403, 404])
def test_a_key_that_aws_does_not_know_is_a_bad_header(
    aws: FakeIdentityProvider, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    aws.instead = Reply(b"", status)
    with pytest.raises(InvalidToken, match="no load balancer of the region"):
        who(balanced(aws), token())
    assert f"status={status} event=provider_unanswered" in caplog.text


def test_keys_that_do_not_come_are_left_when_the_time_is_up(aws: FakeIdentityProvider) -> None:
    aws.gate.clear()
    keys = Endpoint("MEMBERSHIPS_EXPORT_ALB_ARN", aws.keys_url, Limits(seconds=0.3))
    with pytest.raises(IdentityUnavailable):
        who(BalancedUsers(ARN, keys, EXPECTED), token())


# --- The ARN ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arn, where",
    [
        (ARN, "public-keys.auth.elb.eu-central-1.amazonaws.com"),
        (ARN.replace("eu-central-1", "ap-southeast-2"), "public-keys.auth.elb.ap-southeast-2.amazonaws.com"),
        (
            ARN.replace(":aws:", ":aws-us-gov:").replace("eu-central-1", "us-gov-west-1"),
            "s3-us-gov-west-1.amazonaws.com/aws-elb-public-keys-prod-us-gov-west-1",
        ),
    ],
)
def test_keys_come_from_where_aws_publishes_those_of_the_region(arn: str, where: str) -> None:
    assert keys_of(arn).where == where


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "club",
        ARN.replace(":aws:", ":aws-cn:").replace("eu-central-1", "cn-north-1"),
        ARN.replace("eu-central-1", "evil.example/"),
        ARN.replace("eu-central-1", ""),
        ARN.replace("eu-central-1", "eu-central-1.evil.example"),
        ARN.replace("eu-central-1", "EU-CENTRAL-1"),
        ARN.replace("/app/", "/net/"),
        ARN.replace("123456789012", "12345"),
        ARN + "\n",
        ARN + "/listener",
        ARN.replace("elasticloadbalancing", "s3"),
    ],
)
def test_anything_else_than_the_arn_of_an_application_load_balancer_is_refused_by_name(arn: str) -> None:
    with pytest.raises(ValueError, match=r"MEMBERSHIPS_EXPORT_ALB_ARN is .* must be the ARN .*China"):
        keys_of(arn)
