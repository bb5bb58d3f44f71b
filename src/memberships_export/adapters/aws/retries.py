"""Which calls to AWS are made again, and when: as botocore's standard mode does. A test holds both together."""

from http import HTTPStatus
from threading import Lock

from botocore.exceptions import ClientError

ATTEMPTS = 3
_LONGEST = 20.0  # seconds
_LONGEST_AFTER = 5.0  # seconds that the other side may ask for on top
_BROKEN = frozenset(
    {
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
TRANSIENT = frozenset({"ReplicatedWriteConflictException", "RequestTimeout", "RequestTimeoutException"})
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


def passes(error: Exception) -> bool:
    """Tell whether the same call may well succeed a moment later. What is no answer at all always may."""
    if not isinstance(error, ClientError):
        return True
    return is_throttled(error) or _code(error) in TRANSIENT or _status(error) in _BROKEN


def is_throttled(error: Exception) -> bool:
    """Tell whether there were too many calls."""
    if not isinstance(error, ClientError):
        return False
    return _code(error) in THROTTLED or _status(error) == HTTPStatus.TOO_MANY_REQUESTS


def pause(error: Exception, attempt: int, scale: float, jitter: float) -> float:
    """Return the seconds until the next attempt. `attempt`: counts from 1; `jitter`: from 0 to 1, by chance.

    `scale`: the longest first pause, in seconds; it doubles each time. After throttling it is one second.
    """
    longest = min((1.0 if is_throttled(error) else scale) * 2.0 ** (attempt - 1), _LONGEST)
    seconds = jitter * longest
    return max(seconds, min(_asked_for(error), seconds + _LONGEST_AFTER))


class Quota:
    """How many calls of one client may still be made again: while nothing succeeds, no storm of them."""

    _FULL = 500
    _COST, _COST_WHEN_THROTTLED = 14, 5

    def __init__(self) -> None:
        self._left = self._FULL
        self._lock = Lock()

    def take(self, error: Exception) -> int:
        """Take what another attempt costs; 0 when there is not so much left."""
        cost = self._COST_WHEN_THROTTLED if is_throttled(error) else self._COST
        with self._lock:
            if cost > self._left:
                return 0
            self._left -= cost
        return cost

    def give_back(self, cost: int) -> None:
        """Return what the last attempt had cost, which succeeded; at least 1."""
        with self._lock:
            self._left = min(self._left + max(cost, 1), self._FULL)


def _code(error: ClientError) -> str:
    code: str = error.response.get("Error", {}).get("Code", "")
    return code


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _asked_for(error: Exception) -> float:
    metadata = error.response.get("ResponseMetadata", {}) if isinstance(error, ClientError) else {}
    text: str = metadata.get("HTTPHeaders", {}).get("x-amz-retry-after", "")
    return int(text) / 1000 if text.isascii() and text.isdecimal() else 0.0
