"""What AWS says when something is wrong, as StorageUnavailable that names the resource and the fix."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004  (botocore's own)
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

from memberships_export.domain.errors import StorageUnavailable

_NO_ANSWER = (ConnectionError, HTTPClientError)
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
_BUSY = frozenset(
    {
        "OverLimit",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_MISSING = frozenset({"NonExistentQueue", "QueueDoesNotExist", "ResourceNotFoundException", "NoSuchBucket"})
_REFUSED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_KEY_TROUBLE = ("KMS", "Kms", "DecryptionFailure")  # begins the code when the encryption key is in the way
_CONFIGURATION = "This is configuration and will not pass by itself: "


@contextmanager
def aws_errors(resource: str, otherwise: str | None = None) -> Iterator[None]:
    """Turn what can happen to a service into StorageUnavailable; a wrong request stays the bug it is.

    `otherwise`: what to check after a refusal that is none of the known ones, where no request can be wrong.
    """
    try:
        yield
    except ClientError as error:
        code, advice = _telling(error)
        advice = advice or otherwise
        if advice is None:
            raise
        reason = f"{resource} refused {error.operation_name} with {code}. {advice}"
        raise StorageUnavailable(reason) from error
    except _NO_CREDENTIALS as error:
        advice = "give the process a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        reason = f"{resource} cannot be used without AWS credentials. {_CONFIGURATION}{advice}"
        raise StorageUnavailable(reason) from error
    except _NO_ANSWER as error:
        reason = (
            f"{resource} gave no answer ({type(error).__name__}). "
            "If it lasts, check the region, the subnet's route or VPC endpoint, and the security group."
        )
        raise StorageUnavailable(reason) from error


def error_code(error: ClientError) -> str:
    """Return the code without the namespace that SQS puts before some."""
    return error.response.get("Error", {}).get("Code", "").rsplit("AWS.SimpleQueueService.", maxsplit=1)[-1]


def cancellation_reasons(error: ClientError) -> Sequence[Mapping[str, Any]]:
    """Return why a DynamoDB transaction was cancelled, one reason per write; nothing for any other error."""
    answer: Mapping[str, Any] = error.response
    reasons: Sequence[Mapping[str, Any]] = answer.get("CancellationReasons", [])
    return reasons


def advice_for(code: str, status: int) -> str | None:
    """Return what to check; None for an answer that only a bug can provoke."""
    if "Throttl" in code or code in _BUSY:
        return "It is throttling. If it lasts, check the quotas and the metrics of this resource."
    if code.startswith(_KEY_TROUBLE):
        return f"{_CONFIGURATION}allow the role to use the encryption key, and check that the key is enabled."
    if code in _MISSING:
        return f"{_CONFIGURATION}check its name, the region and the account."
    if code in _REFUSED or status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"{_CONFIGURATION}check the credentials, and that the role allows this action on it."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "If it lasts, see the AWS Health Dashboard."
    return None


def _telling(error: ClientError) -> tuple[str, str | None]:
    """Return the code that tells what to do, and what that is: of a cancelled transaction the code of its reason."""
    codes = [error_code(error), *(reason.get("Code", "") for reason in cancellation_reasons(error))]
    advised = [(code, advice_for(code, _status(error))) for code in codes]
    return next((pair for pair in advised if pair[1]), advised[0])


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
