"""Signatures: those that AWS published, and those that botocore makes of the same requests."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as some

from memberships_export.adapters.aws.signature import Signer

# Of the "Signature Version 4 Test Suite" of AWS: what has no path and no query.
PUBLISHED_AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwt"
    "hAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVX"
    "AkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
PUBLISHED: dict[str, tuple[dict[str, str], bytes, str | None, str, str]] = {
    "post-vanilla": (
        {},
        b"",
        None,
        "host;x-amz-date",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    "post-header-key-sort": (
        {"My-Header1": "value1"},
        b"",
        None,
        "host;my-header1;x-amz-date",
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    "post-header-value-case": (
        {"My-Header1": "VALUE1"},
        b"",
        None,
        "host;my-header1;x-amz-date",
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
    "post-x-www-form-urlencoded": (
        {"Content-Type": FORM},
        b"Param1=value1",
        None,
        "content-type;host;x-amz-date",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
    "post-x-www-form-urlencoded-parameters": (
        {"Content-Type": f"{FORM}; charset=utf8"},
        b"Param1=value1",
        None,
        "content-type;host;x-amz-date",
        "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
    ),
    "post-sts-header-before": (
        {},
        b"",
        TOKEN,
        "host;x-amz-date;x-amz-security-token",
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    ),
}
texts = some.text(some.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
values = some.lists(texts, min_size=1, max_size=3).map("  ".join)


def signer(token: str | None, service: str = "service") -> Signer:
    return Signer(
        access_key="AKIDEXAMPLE",
        secret_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        token=token,
        region="us-east-1",
        service=service,
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_signs_what_aws_published_as_aws_did(name: str) -> None:
    headers, body, token, names, proof = PUBLISHED[name]

    signed = signer(token).signed({"Host": "example.amazonaws.com", **headers}, body, PUBLISHED_AT)

    credential = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
    assert (
        signed["Authorization"] == f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={proof}"
    )
    assert signed["X-Amz-Date"] == "20150830T123600Z"
    assert signed.get("X-Amz-Security-Token") == token


@given(
    body=some.binary(max_size=200), target=values, token=some.none() | texts, service=some.sampled_from(["sqs", "x"])
)
def test_it_signs_whatever_is_sent_as_botocore_does(body: bytes, target: str, token: str | None, service: str) -> None:
    mine = signer(token, service)
    headers = {"Host": "sqs.us-east-1.amazonaws.com:4566", "Content-Type": "a/b", "X-Amz-Target": target}

    signed = mine.signed(headers, body, datetime.now(UTC))

    request = AWSRequest("POST", "https://sqs.us-east-1.amazonaws.com:4566/", headers=headers, data=body)
    request.context["timestamp"] = signed["X-Amz-Date"]
    theirs = SigV4Auth(Credentials(mine.access_key, mine.secret_key, token), service, "us-east-1")
    request.headers["X-Amz-Date"] = signed["X-Amz-Date"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    proof = theirs.signature(theirs.string_to_sign(request, theirs.canonical_request(request)), request)
    assert signed["Authorization"].endswith(f"Signature={proof}")


def test_no_secret_is_shown() -> None:
    shown = repr(signer("the-token"))

    assert "wJalr" not in shown
    assert "the-token" not in shown
