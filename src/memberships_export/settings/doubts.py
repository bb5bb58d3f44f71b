"""Settings with which the service starts, and that hardly anybody wants together."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from memberships_export.settings.declared import Settings
from memberships_export.settings.names import variable

_HERE = {"localhost", "127.0.0.1", "::1"}


def doubts_about(settings: Settings) -> Iterator[str]:
    """Say what will surprise somebody, and what to set."""
    if settings.mailer != "outbox" and (not settings.public_url or urlsplit(settings.public_url).hostname in _HERE):
        yield (
            f"{variable('public_url')} is {settings.public_url or 'not set'}, but {variable('mailer')} is "
            f"{settings.mailer}: links in mails lead to this machine. Set it to where users reach the API."
        )
    if settings.keep_files_days * 24 <= settings.give_up_hours:
        yield (
            f"{variable('keep_files_days')} is {settings.keep_files_days}, but {variable('give_up_hours')} is "
            f"{settings.give_up_hours}: a file may expire while its mail still waits. Set more days, or fewer hours."
        )
    if settings.sweep_seconds > settings.lease_seconds:
        yield (
            f"{variable('sweep_seconds')} is {settings.sweep_seconds}, but {variable('lease_seconds')} is "
            f"{settings.lease_seconds}: exports whose worker stands still wait for the sweeper. Set fewer seconds."
        )
