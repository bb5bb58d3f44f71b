"""Where a service is: its settings, its sockets, and the addresses that follow from both."""

from dataclasses import dataclass

from memberships_export.entrypoints.cli.serve.listening import Listening, local_url
from memberships_export.settings import Settings


@dataclass(frozen=True, slots=True)
class Site:
    """The same for all processes of a service. `listening`: None where there is no API."""

    settings: Settings
    listening: Listening | None

    @property
    def url(self) -> str:
        """Where users reach the API."""
        settings = self.settings
        return settings.public_url or (self.listening.url if self.listening else local_url(settings))

    @property
    def memberships_url(self) -> str:
        """Where workers reach the memberships API."""
        settings = self.settings
        return settings.memberships_url or (self.listening.local_url if self.listening else local_url(settings))
