"""An alarm by a POST to a URL of the operator: https, or http on this machine; no redirects."""

import time

from urllib3.exceptions import HTTPError

from memberships_export.adapters.alerts.facts import as_json
from memberships_export.adapters.http.bounded import Outgoing, TooLate, send
from memberships_export.adapters.http.outgoing_url import checked_url
from memberships_export.adapters.http.pool import open_pool
from memberships_export.adapters.http.trouble import trouble
from memberships_export.service.operator.alerts import Alert, AlertFailed

_SECONDS, _CONNECT_SECONDS = 10.0, 5.0
_GOOD = range(200, 300)


class WebhookAlarm:
    """Posts each alert as JSON. The URL is not told anywhere: it may hold a secret."""

    def __init__(self, name: str, url: str, seconds: float = _SECONDS) -> None:
        """`name`: of the setting. Raises ValueError for a URL that may not be called."""
        try:
            self._url = checked_url(name, url)
        except ValueError:  # its text quotes the URL
            raise ValueError(
                f"{name} (not shown, it may hold a secret) may not be called. Expected: https://host[:port][/path], or "
                "http to this machine, without user name, query or fragment."
            ) from None
        self._target, self._seconds = self._url.path or "/", seconds

    def __call__(self, alert: Alert) -> None:
        """Post it. Raises AlertFailed, also for a redirect."""
        pool = open_pool(self._url)  # of its own: a connection would not live for an hour
        headers = {"Content-Type": "application/json", "Accept": "*/*"}
        outgoing = Outgoing(method="POST", target=self._target, headers=headers, body=as_json(alert))
        until = time.monotonic() + self._seconds
        try:
            answer = send(pool, outgoing, until=until, connect_seconds=_CONNECT_SECONDS, read_seconds=self._seconds)
            answer.close()  # what it says does not matter
        except TooLate as error:
            raise AlertFailed("The alert URL did not answer in time.") from error
        except HTTPError as error:
            raise AlertFailed(f"The alert URL {trouble(error, _CONNECT_SECONDS, self._seconds)}.") from error
        finally:
            pool.close()
        if answer.status not in _GOOD:
            raise AlertFailed(f"The alert URL answered with status {answer.status}.")
