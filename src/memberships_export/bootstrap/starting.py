"""What only the parts of a process can judge about its settings, found before any of them is made.

So that a person who sets up the service reads all that is wrong at once. Nothing is opened, made or called.
"""

from collections.abc import Callable, Iterator
from functools import partial

from memberships_export.adapters.http.outgoing_url import checked_url
from memberships_export.adapters.source.profile_file import OWN
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.bootstrap.parts import profile, usable_profile
from memberships_export.settings import Problem, Settings, SettingsError, variable


def problems_of_worker(settings: Settings, secrets: ProfileSecrets | None) -> Iterator[Problem]:
    """Find what is wrong with profile and URLs. `secrets`: None where nothing is fetched, so that none is needed."""
    if settings.profile != OWN:
        yield from _of_the_profile(settings, secrets)
    yield from problems_of_url(settings, "memberships_url")
    if settings.mailer == "sendgrid":
        url = settings.sendgrid_url
        yield from refused(lambda: checked_url(variable("sendgrid_url"), url), {"sendgrid_url", "mailer"})


def _of_the_profile(settings: Settings, secrets: ProfileSecrets | None) -> Iterator[Problem]:
    try:
        usable_profile(settings, secrets) if secrets else profile(settings)
    except SettingsError as error:
        yield from ((text, {"profile", "plain_http_hosts", "backend"}) for text in error.problems)


def problems_of_url(settings: Settings, name: str, *, query_allowed: bool = False) -> Iterator[Problem]:
    """Find out whether a URL that is set may be called."""
    if url := getattr(settings, name):
        check = partial(checked_url, variable(name), url, query_allowed=query_allowed, plain_http=settings.plain_http)
        yield from refused(check, {name, "plain_http_hosts"})


def refused(check: Callable[[], object], because: set[str]) -> Iterator[Problem]:
    """Make a problem of a ValueError, whose text names the variable."""
    try:
        check()
    except ValueError as error:
        yield str(error), because
