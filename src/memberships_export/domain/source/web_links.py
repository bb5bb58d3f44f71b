"""Links to the next page: found in a header, and followed by their query alone."""

import re
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from memberships_export.domain.errors import MembershipsContractBroken

# `re` compiles these when they are needed, and keeps them: few profiles need them.
_LINK = r'<([^<>]*)>((?:\s*;\s*[^\s=;,"]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s;,"]*))?)*)'
_PARAMETER = r';\s*([^\s=;,"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?'


def link_to(header: str, rel: str) -> str | None:
    """Return the target of the first link with this relation in a `Link` header (RFC 8288); None without one."""
    for target, parameters in re.findall(_LINK, header):
        named = re.findall(_PARAMETER, parameters)  # of several with one name the first counts
        relations = next((quoted or bare for name, quoted, bare in named if name.lower() == "rel"), "")
        if rel.lower() in relations.lower().split():
            return str(target)
    return None


def query_of(link: str, asked: str) -> str:
    """Return the query of a link that leads to where the page before it was asked for.

    `asked`: the URL of the memberships API with the path of the request. Only the query is used, so no token can
    travel elsewhere. A link with http: in place of https: is what an API behind a proxy sends, and is taken.

    Raises MembershipsContractBroken for a link to another host, port or resource.
    """
    ours = urlsplit(asked)
    try:
        theirs = urlsplit(link)
        host, port = theirs.hostname, _port(theirs)
    except ValueError as error:
        raise _elsewhere("is no URL") from error
    if theirs.scheme not in ("", "http", "https"):
        raise _elsewhere("is no http URL")
    if host and (host, port) != (ours.hostname, _port(ours)):
        raise _elsewhere(f"leads to another host ({host}{f':{port}' if port else ''}, not {ours.netloc})")
    if theirs.path and _last_name(theirs.path) != _last_name(ours.path):
        raise _elsewhere("leads to another path")
    if not theirs.query:
        raise _elsewhere("has no query: only that of a link is used")
    return theirs.query


def without(query: str, name: str) -> str:
    """Leave a parameter out of a query."""
    return "&".join(part for part in query.split("&") if unquote_plus(part.partition("=")[0]) != name)


def _last_name(path: str) -> str:
    """Return the end of a path: what stands before it is often another one behind a proxy."""
    return unquote(path.rstrip("/").rpartition("/")[2])


def _port(url: SplitResult) -> int | None:
    """Return the port; None for the usual one of its scheme."""
    return None if url.port == {"http": 80, "https": 443}.get(url.scheme) else url.port


def _elsewhere(what: str) -> MembershipsContractBroken:
    return MembershipsContractBroken(f"The memberships API sent a link to the next page that {what}.")
