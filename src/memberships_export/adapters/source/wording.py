"""What is said about a memberships API that refuses, is away, or breaks its contract. Never with anything private."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from msgspec import Struct

from memberships_export.domain.errors import (
    ExportError,
    MembershipsContractBroken,
    MembershipsRefused,
    MembershipsUnavailable,
    NothingThere,
    PlaceForgotten,
)
from memberships_export.domain.source.profile import (
    ApiKey,
    Auth,
    Bearer,
    HttpBasic,
    OAuth2ClientCredentials,
    ServiceJwt,
)
from memberships_export.domain.source.profile_file.secrets import is_reference

log = logging.getLogger(__name__)
WILL_PASS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
# What was asked for is not there: the user, or for a call that goes on where a page ended, that place.
_NOT_THERE = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY})
# What a person has to mend, without touching the export: what it says to that person.
REFUSALS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "it does not accept {credential}; {mend}",
    HTTPStatus.PAYMENT_REQUIRED: "it wants to be paid",
    HTTPStatus.FORBIDDEN: "{credential} lacks a right there, or a firewall stands in the way",
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: "a proxy on the way wants a login",
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED: "a network on the way wants a login",
}


class Wording(Struct, frozen=True):
    """The errors of one address. `where`: host and path as the profile writes it, without user, query and key."""

    where: str
    auth: Auth

    def of_status(self, status: int, seconds: float | None, *, first: bool) -> ExportError:
        """Say what a status other than 200 means. `seconds`: how long the API asked us to stay away."""
        if status in REFUSALS:
            credential, mend = _credential(self.auth)
            return self.refused(
                str(status),
                f"answered with status {status}: {REFUSALS[status].format(credential=credential, mend=mend)}",
                seconds,
            )
        if status in WILL_PASS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self.unavailable(f"answered with status {status}", seconds)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return self.broken(
                f"answered with a redirect (status {status}). Redirects are not followed, as the token would travel "
                "along; set MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL to the final URL"
            )
        if status in _NOT_THERE and not first:
            what = f"answered with status {status} where pages were to go on: it has forgotten that place"
            return PlaceForgotten(f"The memberships API at {self.where} {what}.")
        what = f"answered with status {status} where only 200 is expected"
        if status in _NOT_THERE:
            return NothingThere(f"The memberships API at {self.where} {what}.")
        return self.broken(what)

    def refused(self, status: str, what: str, seconds: float | None = None) -> MembershipsRefused:
        """Tell the operator at once."""
        return refusal("memberships_api", status, f"The memberships API at {self.where} {what}.", seconds)

    def unavailable(self, what: str, seconds: float | None = None) -> MembershipsUnavailable:
        """Say what will pass."""
        return MembershipsUnavailable(f"The memberships API at {self.where} {what}.", retry_after=seconds)

    def broken(self, what: str) -> MembershipsContractBroken:
        """Say what no new try will mend."""
        return MembershipsContractBroken(f"The memberships API at {self.where} {what}.")


def refusal(by: str, status: str, reason: str, seconds: float | None = None) -> MembershipsRefused:
    """Tell the operator at once what only a person can mend: an alarm watches this event."""
    log.error("by=%s status=%s event=refused reason=%s", by, status, reason)
    return MembershipsRefused(reason, retry_after=seconds)


def _credential(auth: Auth) -> tuple[str, str]:
    """Name what was shown to the API by where it is, and say how to mend it."""
    match auth:
        case ServiceJwt():
            return "the worker's token", (
                "compare MEMBERSHIPS_EXPORT_SERVICE_SECRET, MEMBERSHIPS_EXPORT_SERVICE_AUDIENCE and the clocks of both "
                "sides"
            )
        case Bearer(token=token):
            return f"the token of {token}", "put one in there that is valid"
        case HttpBasic(username=name, password=password):
            places = " and ".join(filter(is_reference, (name, password)))
            return f"the login of {places or 'the profile'}", "compare name and password"
        case ApiKey(api_key=key, location=location, name=name):
            place = "parameter" if location == "query" else "header"
            return f"the key of {key}", f"put a valid one in there, and compare the {place} {name} and its prefix"
        case OAuth2ClientCredentials(client_secret=secret, access_token_url=url):
            host = urlsplit(url).hostname
            return f"the token that {host} gave for the secret of {secret}", (
                "compare the scope and the audience in access_token_request_data"
            )
