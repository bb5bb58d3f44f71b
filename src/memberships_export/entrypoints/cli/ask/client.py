"""A small client of the export API: bounded answers, timeouts, no redirects, errors that say what to do."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    SSLError,
    TimeoutError,  # noqa: A004  (its own kind of time-outs)
)

from memberships_export.entrypoints.cli.ask.answers import Answer
from memberships_export.entrypoints.cli.ask.choosing import Chosen
from memberships_export.entrypoints.cli.ask.refusal import refusal
from memberships_export.entrypoints.cli.exits import SomethingElseAnswers, Unreachable, WrongUsage
from memberships_export.entrypoints.cli.ids import FULL, the_one
from memberships_export.version import USER_AGENT

_TIMEOUT = urllib3.Timeout(connect=5, read=30)
_LARGEST_ANSWER = 4 * 1024 * 1024
_CHUNK = 64 * 1024
_OURS = {"User-Agent": USER_AGENT}
_ALL = "/memberships/exports?limit=100"  # the most that the API lists


class ExportsClient:
    """Speaks for one user. Raises Unreachable when nobody answers, RefusedByService for an answer that is an error."""

    def __init__(self, url: str, token: str) -> None:
        """Raise WrongUsage when the URL is none, or the token cannot travel in a header."""
        self.url = _checked_url(url)
        self._headers = {"Authorization": f"Bearer {_checked_token(token)}", "Accept": "application/json", **_OURS}
        self._pool = urllib3.PoolManager(maxsize=1, retries=False)

    def get_export(self, path: str = "/memberships/export") -> Answer:
        """Ask for an export as a browser does, by an address alone: options are in its query."""
        return self._json("GET", path)

    def request(self, chosen: Chosen) -> Answer:
        """Start an export, or find the one that is under way. Returns its status."""
        return self._json("POST", "/memberships/exports", chosen)

    def options(self, language: str | None = None, zone: str | None = None) -> Answer:
        """Ask what may be chosen about the file: labels in this language, time zones that hold this text."""
        said = {"language": language, "zone": zone}
        return self._json("GET", path_with("/memberships/exports/options", said))

    def status(self, export_id: str) -> Answer:
        """Return the status as the API answers it."""
        return self._json("GET", _path_of(export_id))

    def list(self) -> Answer:
        """Read the user's newest exports, newest first."""
        return self._json("GET", "/memberships/exports")

    def full_id(self, typed: str) -> str:
        """Return the id of the user's export that begins with what was typed. Raises CommandError, WrongUsage."""
        if len(typed.strip()) >= FULL:
            return typed.strip()
        ids = {str(item.get("exportId")) for item in self._json("GET", _ALL).get("items") or []}
        return the_one(typed, ids, "export of yours", "Your exports: memberships-export list")

    def cancel(self, export_id: str) -> Answer:
        """Cancel an export that is under way. Returns its status."""
        return self._json("POST", _path_of(export_id) + "/cancel")

    def resend(self, export_id: str) -> Answer:
        """Mail the stored file again."""
        return self._json("POST", _path_of(export_id) + "/resend")

    def download(self, link: str, target: Path) -> None:
        """Save what a mailed link gives. The link holds its own token, so ours stays here."""
        answer = self._ask("GET", link, _OURS)
        try:
            if answer.status != HTTPStatus.OK:
                raise refusal(answer.status, answer.headers, answer.read(_LARGEST_ANSWER))
            with target.open("wb") as file:
                for chunk in answer.stream(_CHUNK):
                    file.write(chunk)
        except HTTPError as error:
            raise Unreachable(f"{self.url} broke off while it sent the file: try again.") from error
        finally:
            answer.close()

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        answer = self._ask(method, self.url + path, self._headers, body)
        try:
            content = answer.read(_LARGEST_ANSWER)
        except HTTPError as error:
            raise Unreachable(f"{self.url} broke off its answer: try again.") from error
        finally:
            answer.close()
        if answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
            raise refusal(answer.status, answer.headers, content)
        return _json_object(content, self.url)

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
                method, url, headers=headers, json=body, timeout=_TIMEOUT, redirect=False, preload_content=False
            )
        except HTTPError as error:
            raise Unreachable(
                f"Nothing answers at {self.url} ({_trouble(error)}).\n"
                "Start the service with: memberships-export serve\n"
                "If it runs elsewhere, say where with --url or MEMBERSHIPS_EXPORT_URL."
            ) from error


def path_with(path: str, query: Mapping[str, str | None]) -> str:
    """Put what was said behind a path."""
    said = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(said)}" if said else path


def _trouble(error: HTTPError) -> str:
    """Say in a few words what went wrong. The text of the error itself quotes objects and addresses."""
    match error:
        case NameResolutionError() | LocationParseError():
            return "unknown host name"
        case NewConnectionError(__cause__=OSError(strerror=str(text))):
            return text.lower()
        case TimeoutError():
            return "no answer in time"
        case SSLError():
            return "no encrypted connection: is it http:// instead of https://, or a certificate nobody knows?"
        case ProtocolError(args=[_, ConnectionError()]):
            return "the connection broke off"
        case _:
            return "no HTTP"


def _path_of(export_id: str) -> str:
    return f"/memberships/exports/{quote(export_id.encode(errors='surrogateescape'), safe='')}"


def _checked_url(url: str) -> str:
    if not _is_base_url(url):
        guess = f" Did you mean http://{url}?" if "://" not in url and _is_base_url(f"http://{url}") else ""
        raise WrongUsage(
            f"--url (MEMBERSHIPS_EXPORT_URL) is {url!r}, but must be a URL like http://127.0.0.1:8000, without query "
            f"or password.{guess}"
        )
    return url.rstrip("/")


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return False
    return bool(named) and url.isprintable() and not (parts.query or parts.fragment or parts.username or " " in url)


def _checked_token(token: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise WrongUsage(
            "The token (--token or MEMBERSHIPS_EXPORT_TOKEN) is not a JWT: it holds spaces or control characters."
        )
    return token


def _json_object(content: bytes, url: str) -> Answer:
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise SomethingElseAnswers(f"What answers at {url} is not the export API (no JSON object): check --url.")
    return answer
